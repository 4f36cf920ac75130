/** The texts of /proc and nft that observers read, in the form in which the kernel and nftables write them. */
import { describe, expect, it } from 'vitest';
import { counterDeltas, parseConntrackStat, parseNetstat } from '../../src/observe/counters.js';
import { parseCpuTicks } from '../../src/observe/cpu.js';
import { forwardSetRules, parseForwardSet, readForwardSet } from '../../src/observe/forward-set.js';
import { parseLocalPortRange } from '../../src/sys/local-port-range.js';

describe('counters', () => {
  it('reads pairs of lines, negative values included', () => {
    const text = 'Tcp: RtoAlgorithm MaxConn OutRsts\nTcp: 1 -1 7\nUdp: InDatagrams\nUdp: 3\n';
    expect(parseNetstat(text)).toEqual({
      'Tcp.RtoAlgorithm': 1,
      'Tcp.MaxConn': -1,
      'Tcp.OutRsts': 7,
      'Udp.InDatagrams': 3,
    });
  });

  it('sums the hexadecimal rows of all cores, but not the size of the table', () => {
    const text =
      'entries  clashres insert_failed drop\n0000000a  00000000 00000010 0000000f\n0000000a  00000001 000000ff 00000001\n';
    expect(parseConntrackStat(text)).toEqual({
      'conntrack.clashres': 1,
      'conntrack.insert_failed': 0x10f,
      'conntrack.drop': 0x10,
    });
  });

  it('are none where the kernel has no such file', () => {
    expect(parseConntrackStat('')).toEqual({});
    expect(parseNetstat('')).toEqual({});
  });

  it('differ by name; what did not change is left out, what is new began at 0', () => {
    expect(counterDeltas({ a: 1, b: 5 }, { a: 4, b: 5, c: 2 })).toEqual({ a: 3, c: 2 });
  });
});

describe('CPU time', () => {
  it('is found behind a program name with spaces and parentheses', () => {
    const stat = '42 (a) b (c)) S 1 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 1 0 100 0 0';
    expect(parseCpuTicks(stat)).toBe(11 + 22 + 33 + 44);
  });

  it('of a process that has ended is 0', () => {
    expect(parseCpuTicks('')).toBe(0);
  });
});

describe('the forward set', () => {
  it('is read with and without the attributes that nft puts around an element', () => {
    const listing = {
      nftables: [
        { metainfo: { version: '1.0.6' } },
        {
          set: {
            name: 'forwarded',
            elem: [
              { concat: ['198.18.0.2', 4_294_967_295] },
              { elem: { val: { concat: ['198.18.0.3', 1] }, expires: 5 } },
            ],
          },
        },
      ],
    };
    expect(parseForwardSet(JSON.stringify(listing))).toEqual(new Set(['198.18.0.2:4294967295', '198.18.0.3:1']));
  });

  it('is empty when nothing was forwarded', () => {
    expect(parseForwardSet('{"nftables":[{"metainfo":{}},{"set":{"name":"forwarded"}}]}')).toEqual(new Set());
  });

  it('says that it was full where it holds all that it can', async () => {
    const reading = (length: number) => {
      const elem = Array.from({ length }, (_, sequence) => ({ concat: ['198.18.0.2', sequence] }));
      const stdout = JSON.stringify({ nftables: [{ set: { name: 'forwarded', elem } }] });
      return readForwardSet({ run: async () => ({ code: 0, stdout, stderr: '' }) });
    };
    const size = Number(/size (\d+)/.exec(forwardSetRules())![1]);
    expect((await reading(size - 1)).full).toBeUndefined();
    expect((await reading(size)).full).toBe(true);
  });

  it('notes SYNs behind the filter rules', () => {
    expect(forwardSetRules()).toMatch(/hook forward priority 200/);
  });
});

it('reads a range of local ports', () => {
  expect(parseLocalPortRange('32768\t60999\n')).toEqual({ lo: 32_768, hi: 60_999 });
});
