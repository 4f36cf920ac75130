/** The ledger's questions are foreseen, so that of a large trial only a small part is indexed. */
import { describe, expect, it } from 'vitest';
import { expectedSyns } from '../../src/ledger/expected-syns.js';
import { roughSet } from '../../src/ledger/rough-set.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import { BUYERS, behindProxy, outcomesOf, type Row, SHOP, tapOf, trafficOf } from './hand-made.js';

/** So many that the way of every second visitor is told whatever became of it. */
const VISITORS = 20_000;
const PORT = 20_000;
const opened = (visitor: number, more: Partial<Row> = {}): Row => ({
  state: 'completed',
  connect: visitor,
  connected: visitor + 2,
  done: visitor + 3,
  localPort: PORT + visitor,
  ...more,
});

describe('a rough set', () => {
  it('has all that was added, also the largest, and few others', () => {
    const set = roughSet();
    for (let value = 0; value < 10_000; value++) set.add(value * 3);
    set.add(0xffff_ffff);
    expect(set.has(0xffff_ffff)).toBe(true);
    let others = 0;
    for (let value = 0; value < 10_000; value++) {
      expect(set.has(value * 3)).toBe(true);
      if (set.has(value * 3 + 1)) others++;
    }
    expect(others).toBeLessThan(200);
  });
});

describe('the expected SYNs', () => {
  const visitors = Array.from({ length: VISITORS }, (_, visitor) => [opened(visitor)]);
  visitors[3] = [opened(3, { state: 'dropped', error: ClientError.responseTimeout })];
  visitors[5] = [opened(5, { synRetransmits: 1 })];
  visitors[2999] = [opened(2999, { state: 'dropped', error: ClientError.responseTimeout })];
  const syn = (visitor: number, lateMs = 0.1) =>
    ({
      ms: visitor + lateMs,
      way: 'out',
      from: `${BUYERS}:${PORT + visitor}`,
      to: SHOP,
      kind: 'syn',
      isn: visitor,
    }) as const;
  const outcomes = outcomesOf(visitors);
  const traffic = trafficOf(behindProxy());
  const expected = expectedSyns(
    traffic,
    outcomes,
    () => undefined,
    () => tapOf(traffic.clients[0].host, [syn(3), syn(4), syn(5), syn(7), syn(2999, 1.5)]),
  );
  const of = (...visitorNumbers: number[]) => visitorNumbers.filter((visitor) => expected.has(visitor));

  it('are those of what was lost, late, or is told as an example', () => {
    expect(of(3, 4, 5, 7)).toEqual([3, 4, 5]);
  });

  it('hold one that left in the second after its connect()', () => {
    expect(of(2999)).toEqual([2999]);
  });
});
