/** Segments are found by initial sequence number and by ports, in either direction, within a time. */
import { describe, expect, it } from 'vitest';
import { roughSet } from '../../src/ledger/rough-set.js';
import { tapIndex } from '../../src/ledger/tap-index.js';
import { TcpFlag } from '../../src/observe/observations.js';
import { ipToNumber } from '../../src/sys/ip.js';
import { BUYERS, EDGE, MS, type Packet, SHOP, tapOf } from './hand-made.js';

const INSIDE = `${BUYERS}:30000`;
const OUTSIDE = `${EDGE}:20000`;
const LAST = 0xffff_ffff;

const packets: Packet[] = [
  { ms: 0, way: 'in', from: INSIDE, to: SHOP, kind: 'syn', isn: 1000 },
  { ms: 0.1, way: 'out', from: OUTSIDE, to: SHOP, kind: 'syn', isn: 1000 },
  { ms: 1, way: 'in', from: `${BUYERS}:30001`, to: SHOP, kind: 'syn', isn: LAST },
  { ms: 1000, way: 'in', from: INSIDE, to: SHOP, kind: 'syn', isn: 1000 },
  { ms: 1000.1, way: 'out', from: OUTSIDE, to: SHOP, kind: 'syn', isn: 1000 },
  { ms: 1000.2, way: 'in', from: SHOP, to: OUTSIDE, kind: 'syn-ack', isn: 1000 },
  { ms: 1001, way: 'in', from: SHOP, to: `${EDGE}:20001`, kind: 'refusal', isn: LAST },
  { ms: 1002, way: 'in', from: INSIDE, to: SHOP, kind: 'abort', isn: 1000 },
];

describe('a tap index', () => {
  const index = tapIndex(tapOf('edge', packets));

  it('finds all copies of a SYN on both sides of a translation, in the order of time', () => {
    expect(index.syns(1000)).toEqual([0, 1, 3, 4]);
    expect(index.syns(1000, { outgoing: false })).toEqual([0, 3]);
  });

  it('takes both ends of a time as inside', () => {
    expect(index.syns(1000, { fromNs: 0.1 * MS, toNs: 1000 * MS })).toEqual([1, 3]);
  });

  it('finds nothing under a number that only other segments carry', () => {
    expect(index.syns(1077)).toEqual([]);
    expect(index.syns(1001)).toEqual([]);
  });

  it('tells an answer by SYN+ACK from one by RST', () => {
    expect(index.answers(1000, 'syn-ack')).toEqual([5]);
    expect(index.answers(1000, 'rst')).toEqual([]);
    expect(index.answers(1000, 'syn-ack', { outgoing: true })).toEqual([]);
  });

  it('finds the answer to the last of all sequence numbers, whose successor is 0', () => {
    expect(index.answers(LAST, 'rst')).toEqual([6]);
  });

  it('finds segments between two endpoints by flag, and not those of the way back', () => {
    const ends = [ipToNumber(BUYERS), 30_000, ipToNumber('198.18.1.2'), 8080] as const;
    expect(index.between(...ends, TcpFlag.syn)).toEqual([0, 3]);
    expect(index.between(...ends, TcpFlag.rst)).toEqual([7]);
    expect(index.between(ends[2], ends[3], ends[0], ends[1], TcpFlag.syn)).toEqual([]);
  });

  it('indexes the expected connections alone, and finds the others all the same when they are asked for', () => {
    const expected = roughSet();
    expected.add(1000);
    const some = tapIndex(tapOf('edge', packets), () => expected);
    for (const isn of [1000, LAST, 1000, 1077]) {
      expect(some.syns(isn)).toEqual(index.syns(isn));
      expect(some.answers(isn, 'rst')).toEqual(index.answers(isn, 'rst'));
      expect(some.handshake(isn)).toEqual(index.handshake(isn));
    }
  });

  it('of a tap that saw nothing finds nothing', () => {
    const empty = tapIndex(tapOf('edge', []));
    expect([empty.syns(1), empty.answers(1, 'rst')]).toEqual([[], []]);
  });
});
