/** A gateway's own events say whether it had forgotten a connection that its client still held for open. */
import { describe, expect, it } from 'vitest';
import { expiredMapping } from '../../src/ledger/mapping.js';
import type { ConntrackEvent } from '../../src/observe/observations.js';
import { ClientError } from '../../src/traffic/outcomes.js';
import { behindGateway, caseOf, observed, outcomesOf, type Row, tableEvent } from './hand-made.js';

/** A connection opened at 0 for a first request; the second one, at 4000 ms on the same connection, fails at `done`. */
function visit(done: number, localPort = 30_000): Row[] {
  return [
    { state: 'completed', connect: 0, connected: 1, done: 20, localPort, status: 200 },
    { state: 'dropped', error: ClientError.reset, errno: 104, done, localPort },
  ];
}

function expired(events: ConntrackEvent[], requests: Row[][] = [visit(4001)], row = 1) {
  const seen = observed({ conntrack: { edge: { host: 'edge', events, overruns: 0 } } });
  return expiredMapping(caseOf(behindGateway(), seen, outcomesOf(requests)), row, 'buyers', 'shop');
}

describe('a mapping', () => {
  const opened = tableEvent(0.1, 'new', 30_000, 20_000);

  it('that went while the connection was open is expired, at that gateway', () => {
    const verdict = expired([opened, tableEvent(4000.5, 'destroy', 30_000, 20_000)]);
    expect(verdict).toMatchObject({ cause: 'mapping-expired', at: 'edge' });
    expect(verdict?.evidence[0]).toMatch(/198\.18\.0\.2:30000 as 198\.18\.1\.1:20000 in state ESTABLISHED at 4\.000 s/);
  });

  it('that was taken up again under another port says so', () => {
    const verdict = expired([
      opened,
      tableEvent(4000.5, 'destroy', 30_000, 20_000),
      tableEvent(4000.6, 'new', 30_000, 20_044),
    ]);
    expect(verdict?.evidence[1]).toBe('edge: taken up again in mid-stream as 198.18.1.1:20044');
  });

  it('that was taken up again under the same port harmed nobody', () => {
    const forgotten = tableEvent(4000.5, 'destroy', 30_000, 20_000);
    expect(expired([opened, forgotten, tableEvent(4000.6, 'new', 30_000, 20_000)])).toBeUndefined();
  });

  it('of another connection proves nothing', () => {
    expect(expired([opened, tableEvent(4000.5, 'destroy', 30_001, 20_000)])).toBeUndefined();
  });

  it('that went before the connection was open belongs to an older one of the same ports', () => {
    expect(expired([tableEvent(0.5, 'destroy', 30_000, 20_007), opened])).toBeUndefined();
  });

  it('that went after the request had failed is a consequence, not the cause', () => {
    expect(expired([opened, tableEvent(4500, 'destroy', 30_000, 20_000)])).toBeUndefined();
  });

  it('is not asked for where the engine does not know the local port', () => {
    expect(expired([opened, tableEvent(4000.5, 'destroy', 0, 20_000)], [visit(4001, 0)])).toBeUndefined();
  });

  it('of a pooled connection is found by the connection`s number: another visitor opened it', () => {
    const [first, second] = visit(4001);
    const requests = [[{ ...first, connection: 7 }], [{ ...second, connection: 7 }]];
    const events = [opened, tableEvent(4000.5, 'destroy', 30_000, 20_000)];
    expect(expired(events, requests, 1)).toMatchObject({ cause: 'mapping-expired', at: 'edge' });
  });
});
