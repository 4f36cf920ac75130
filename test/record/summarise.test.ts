import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/ledger/causes.js';
import { summariseTrial } from '../../src/record/summarise.js';
import { imbalance } from '../../src/record/validity.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import { complete, completedOutcomes, drop, exhausted, forget, heldDown, trialInput } from '../helpers/trials.js';

/** 100 visitors of three requests: ten lose their second one to the gateway, four their first one to the proxy, one meets a sold-out sale. */
function sale() {
  const all = completedOutcomes(100, 3);
  const dropped = new Map<number, Verdict>();
  for (let visitor = 0; visitor < 10; visitor++) {
    drop(all, visitor * 3 + 1);
    dropped.set(visitor * 3 + 1, exhausted);
  }
  for (let visitor = 10; visitor < 14; visitor++) {
    drop(all, visitor * 3);
    dropped.set(visitor * 3, heldDown);
  }
  const soldOut = 20 * 3 + 1;
  all.status[soldOut] = 409;
  all.soldOut[soldOut] = 1;
  forget(all, soldOut + 1);
  return { all, dropped };
}

describe('the summary of a trial', () => {
  it('counts requests, visitors and causes so that everything adds up', () => {
    const { all, dropped } = sale();
    const delayed = new Map([[99 * 3, exhausted]]);
    const counters = {
      edge: { 'conntrack.insert_failed': 60 },
      'shop[0]': { 'TcpExt.ListenOverflows': 3 },
    };
    const measured = summariseTrial(trialInput(all, { dropped, delayed, counters, tickets: { stock: 85, sold: 85 } }));
    expect(measured.requests).toMatchObject({
      due: 300 - 10 - 8 - 1,
      completed: 300 - 10 - 8 - 1 - 14,
      dropped: 14,
      attempts: 281,
    });
    expect(measured.visitors).toEqual({ arrived: 100, served: 85, soldOut: 1, turnedAway: 14 });
    expect(measured.tickets).toEqual({ stock: 85, sold: 85 });
    expect(measured.requests.byCause).toEqual([
      {
        cause: 'ports-exhausted',
        at: 'edge',
        count: 10,
        evidence: [
          { source: 'client: ETIMEDOUT', value: 10 },
          { source: 'edge: conntrack insert_failed', value: 60 },
          { source: 'request v1t1.0.1', value: 'SYN into edge; no SYN out' },
        ],
      },
      {
        cause: 'backend-held-down',
        at: 'balancer',
        because: { cause: 'ports-exhausted', at: 'balancer' },
        count: 4,
        evidence: [
          { source: 'client: ETIMEDOUT', value: 4 },
          { source: 'request v1t1.10.0', value: 'no live upstreams' },
        ],
      },
    ]);
    expect(measured.requests.delayed).toEqual([{ cause: 'ports-exhausted', at: 'edge', count: 1 }]);
    expect(measured.validity).toEqual({ valid: true, reasons: [] });
    expect(imbalance(all, measured)).toBeUndefined();
  });

  it('adds up the counters of all hosts of a node, and of no other node', () => {
    const all = completedOutcomes(1, 1);
    drop(all, 0);
    const refused: Verdict = { cause: 'accept-queue-full', at: 'shop', evidence: [] };
    const overflow = (value: number) => ({ 'TcpExt.ListenOverflows': value });
    const counters = { 'shop[0]': overflow(3), 'shop[1]': overflow(4), 'shop-two': overflow(50), edge: overflow(9) };
    const { requests } = summariseTrial(trialInput(all, { dropped: new Map([[0, refused]]), counters }));
    expect(requests.byCause[0].evidence).toContainEqual({ source: 'shop: TcpExt.ListenOverflows', value: 7 });
  });

  it('takes latencies from the planned time, connect latency only where a connection was opened', () => {
    const all = completedOutcomes(4, 1);
    // Sent 400 ms late: the visitor waited all the same.
    complete(all, 0, 500, 900);
    all.sentNs[0] = all.dueNs[0] + 400e6;
    all.connectNs[0] = all.sentNs[0];
    // On a connection that was open already.
    all.connectNs[1] = Number.NaN;
    // Connected, then no answer: a connect latency, no response latency.
    all.state[2] = RequestState.dropped;
    const { latency } = summariseTrial(
      trialInput(all, { dropped: new Map([[2, { cause: 'response-timeout', at: 'shop', evidence: [] }]]) }),
    );
    expect(latency.connect).toEqual({
      p50: 1,
      p90: 500,
      p99: 500,
      p999: 500,
      max: 500,
      mean: expect.closeTo(167.3, 0),
      count: 3,
    });
    expect(latency.response).toMatchObject({ p50: expect.closeTo(5, 1), max: 900, count: 3 });
  });

  it('measures throughput from the first planned time to the last response', () => {
    // A visitor per ms for 1000 ms, answered after 5 ms.
    const { throughput } = summariseTrial(trialInput(completedOutcomes(1000, 1)));
    expect(throughput.completedPerSecond).toBeCloseTo(1000 / 1.004, 1);
  });
});
