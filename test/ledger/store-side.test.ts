/** What a shop's log says of its store, and the cause and place that follow from it. */
import { describe, expect, it } from 'vitest';
import { keepLedger } from '../../src/ledger/ledger.js';
import type { Sighting, UpstreamResult, UpstreamTry } from '../../src/nodes/kind.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import {
  beforeStore,
  observed,
  outcomesOf,
  type Packet,
  type Row,
  SHOP_BACK,
  STARTED_AT,
  STORE,
  sighting,
  tapOf,
  trafficOf,
} from './hand-made.js';

const tried = (
  result: UpstreamResult,
  [fromMs, toMs]: [number, number],
  changes: Partial<UpstreamTry> = {},
): UpstreamTry => ({
  to: STORE,
  from: `${SHOP_BACK}:30000`,
  result,
  startedAt: STARTED_AT + fromMs,
  endedAt: STARTED_AT + toMs,
  ...(result === 'connect-timeout' ? {} : { connectMs: 0.5 }),
  evidence: `store: ${result}`,
  ...changes,
});

function lost(row: Partial<Row>, seen: Sighting, more: Parameters<typeof observed>[0] = {}) {
  const plan = beforeStore();
  const rows: Row[][] = [[{ state: 'dropped', connect: 0, connected: 1, done: 200, ...row }]];
  return keepLedger(plan, trafficOf(plan), outcomesOf(rows), observed({ ...more, sightings: [seen] })).lost.get(0);
}

const answered500 = { error: ClientError.status, status: 500 };
const gaveUp = { error: ClientError.responseTimeout, done: 5000 };
const seen = (changes: Partial<Sighting>, endMs = 200) =>
  sighting('shop', 'r.0.0', [1, endMs], { status: 500, ...changes });

describe('an error page of the shop', () => {
  it.each([
    ['no-local-port', 'ports-exhausted', 'shop'],
    ['file-limit', 'file-limit', 'shop'],
    ['queue-timeout', 'queue-timeout', 'shop'],
    ['refused', 'refused', 'db'],
    ['backend-limit', 'connection-limit', 'db'],
    ['reset', 'reset', 'db'],
    ['closed-early', 'reset', 'db'],
    ['response-timeout', 'response-timeout', 'db'],
    ['answered', 'http-error', 'db'],
  ] as const)('because of %s is %s at %s', (result, cause, at) => {
    expect(lost(answered500, seen({ tries: [tried(result, [2, 190])] }))).toMatchObject({ cause, at });
  });

  it('for a lost session is that, whatever the store answered', () => {
    const refusal = { cause: 'session-lost', evidence: 'lost' } as const;
    expect(lost(answered500, seen({ refusal, tries: [tried('answered', [2, 3])] }))).toMatchObject({
      cause: 'session-lost',
      at: 'shop',
    });
  });

  it('for a handshake that never came about is what became of its SYN', () => {
    const syn: Packet = { ms: 3, way: 'out', from: `${SHOP_BACK}:30000`, to: STORE, kind: 'syn', isn: 7 };
    const taps = [tapOf('shop', [syn]), tapOf('db', [{ ...syn, ms: 3.1, way: 'in' }])];
    const counters = { db: { 'TcpExt.ListenOverflows': 1 } };
    const one = seen({ tries: [tried('connect-timeout', [2, 2002])] }, 2003);
    expect(lost({ ...answered500, done: 2004 }, one, { taps, counters })).toMatchObject({
      cause: 'accept-queue-full',
      at: 'db',
    });
  });
});

describe('a client that gave up', () => {
  it('while the store had been asked and was silent, waited for the store', () => {
    const one = seen({ status: 499, tries: [tried('answered', [2, 6000])] }, 6001);
    expect(lost(gaveUp, one)).toMatchObject({ cause: 'response-timeout', at: 'db' });
  });

  it('on a shop that had its answer from the store long before, waited for the shop', () => {
    const one = seen({ status: 499, tries: [tried('answered', [2, 3])] }, 6001);
    expect(lost(gaveUp, one)).toMatchObject({ cause: 'response-timeout', at: 'shop' });
  });

  it('on a shop that asked its store only at the end, waited for the shop', () => {
    const one = seen({ status: 499, tries: [tried('answered', [4900, 6000])] }, 6001);
    expect(lost(gaveUp, one)).toMatchObject({ cause: 'response-timeout', at: 'shop' });
  });

  it('before the store was asked at all, waited for the shop', () => {
    const one = seen({ status: 499, tries: [tried('refused', [5500, 5501])] }, 6001);
    expect(lost(gaveUp, one)).toMatchObject({ cause: 'response-timeout', at: 'shop' });
  });

  it('in the queue for a connection of the pool, waited in that, though it began after the service time', () => {
    const queue = { queuedAt: STARTED_AT + 1001, queuedMs: 4500 };
    const one = seen({ status: 499, ...queue, tries: [tried('answered', [5501, 5502])] }, 5503);
    expect(lost(gaveUp, one)).toMatchObject({ cause: 'queue-timeout', at: 'shop' });
  });
});
