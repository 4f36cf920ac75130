/**
 * A server that stands still for a second shows in the latencies as the schedule says it must: whoever was to be served in that second
 * waited until its end. A generator that waits with the server would hide all of them but one for each of its connections.
 */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { ENGINES } from '../../dist/traffic/engines.js';
import { latencyHistograms, summariseLatency } from '../../src/record/latency.js';
import type { ConnectionMode, Engine, PreparedTraffic, TrafficPlan } from '../../src/traffic/engine.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import { closedPlan, plan, tally } from './fixture.js';

const REQUESTS = 1200;
const GAP_MS = 2.5;
/** Early: arrivals have to go on until it is over, also where a busy machine lets it begin late. */
const STALL = { stallAt: 100, stallMs: 1000 };
/** Rounding to whole microseconds, ms. */
const ROUNDING_MS = 0.001;

/** What the server says, by its own clock: that of the engine as well. */
interface Known {
  stall: { beginNs: bigint; endNs: bigint };
  answeredNs: Map<string, bigint>;
}

let server: Worker | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await server?.terminate();
  prepared = undefined;
  server = undefined;
});

async function startServer(): Promise<number> {
  server = new Worker(new URL('./stalling-server.mjs', import.meta.url), { workerData: STALL });
  const [port] = await once(server, 'message');
  return port as number;
}

/** Sends a plan, and tells the stall and the answers in ns since its start. */
async function send(engine: Engine, given: TrafficPlan) {
  expect(engine.refuses(given)).toBeUndefined();
  prepared = await engine.prepare(given);
  const startNs = process.hrtime.bigint();
  const report = await prepared.run(startNs);
  server!.postMessage('what do you know?');
  const [{ stall, answeredNs }] = (await once(server!, 'message')) as [Known];
  const sinceStart = (ns: bigint) => Number(ns - startNs);
  return {
    out: prepared.outcomes,
    report,
    begin: sinceStart(stall.beginNs),
    end: sinceStart(stall.endNs),
    answered: new Map([...answeredNs].map(([id, ns]) => [id, sinceStart(ns)])),
  };
}

describe.each<[Engine['name'], ConnectionMode]>([
  ['socket', { mode: 'per-request' }],
  ['socket', { mode: 'per-visitor' }],
  ['socket', { mode: 'pooled', size: 4 }],
  ['undici', { mode: 'per-request' }],
  ['undici', { mode: 'per-visitor' }],
  ['undici', { mode: 'pooled', size: 4 }],
])('the %s engine, %o', (name, connections) => {
  const can = ENGINES[name].refuses(plan(1, 1, 1, { connections })) === undefined;

  test.runIf(can)('whoever was due in the stall has waited for its end, to the last one', async () => {
    const port = await startServer();
    const { out, begin, end, answered } = await send(ENGINES[name], plan(port, REQUESTS, GAP_MS, { connections }));
    expect(tally(out)).toEqual({ notDue: 0, underWay: 0, completed: REQUESTS, dropped: 0 });
    expect(end - begin).toBeGreaterThanOrEqual(STALL.stallMs * 1e6);

    // The least that each can have taken, by the schedule and the server's clock alone.
    const leastMs = Array.from({ length: REQUESTS }, (_, row) => {
      const dueNs = row * GAP_MS * 1e6;
      return dueNs >= begin && dueNs < end ? (end - dueNs) / 1e6 : 0;
    });
    const recordedMs = Array.from(out.doneNs, (done, row) => (done - out.dueNs[row]) / 1e6);
    for (let row = 0; row < REQUESTS; row++) {
      expect(out.dueNs[row]).toBe(row * GAP_MS * 1e6);
      expect(recordedMs[row]).toBeGreaterThanOrEqual(leastMs[row]);
      expect(out.doneNs[row]).toBeGreaterThanOrEqual(answered.get(`test.${row}.0`)!);
    }
    const lastDueNs = (REQUESTS - 1) * GAP_MS * 1e6;
    expect(begin).toBeLessThan(lastDueNs);
    for (const ms of [100, 500, 900]) {
      const longer = (latencies: number[]) => latencies.filter((latency) => latency >= ms).length;
      const wait = Math.min(end - ms * 1e6, lastDueNs) - begin;
      expect(longer(leastMs)).toBeGreaterThanOrEqual(Math.floor(wait / (GAP_MS * 1e6)));
      expect(longer(recordedMs)).toBeGreaterThanOrEqual(longer(leastMs));
    }

    const summary = summariseLatency(latencyHistograms(out).response);
    leastMs.sort((a, b) => a - b);
    const least = (share: number) => leastMs[Math.ceil(share * REQUESTS) - 1] - ROUNDING_MS;
    expect(summary.count).toBe(REQUESTS);
    expect(summary.p90).toBeGreaterThanOrEqual(least(0.9));
    expect(summary.p99).toBeGreaterThanOrEqual(least(0.99));
    expect(summary.p999).toBeGreaterThanOrEqual(least(0.999));
    expect(summary.max).toBeGreaterThanOrEqual(least(1));
    expect(least(1)).toBeGreaterThan(STALL.stallMs - GAP_MS - ROUNDING_MS);
  });
});

describe('the autocannon engine', () => {
  test('takes no rates, for in closed loop the stall would not show', () => {
    expect(ENGINES.autocannon.refuses(plan(1, REQUESTS, GAP_MS))).toMatch(/closed loop.*for rates use --engine socket/);
  });

  test('sees the stall once per connection, and its report says why', async () => {
    const port = await startServer();
    const connections = 4;
    const { out, report, begin, end } = await send(
      ENGINES.autocannon,
      closedPlan(port, [{ forMs: 2000, connections }]),
    );
    const sentMeanwhile = out.sentNs.filter((sent, row) => {
      return out.state[row] === RequestState.completed && sent >= begin && sent < end;
    });
    expect(sentMeanwhile.length).toBeLessThanOrEqual(connections);
    expect(report.notes).toContain(
      'closed loop: a slow system slows the arrivals, and latency counts from the actual send time',
    );
  });
});
