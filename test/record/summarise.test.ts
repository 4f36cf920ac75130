import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src/ledger/causes.js';
import { latencyHistograms } from '../../src/record/latency.js';
import { imbalance, mergeTrials, summariseTrial } from '../../src/record/summarise.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import {
  complete,
  completedOutcomes,
  drop,
  exhausted,
  forget,
  heldDown,
  punctual,
  trialInput,
} from '../helpers/trials.js';

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

describe('a trial is invalid', () => {
  const reasonsOf = (changes: Parameters<typeof trialInput>[1], all = completedOutcomes(10, 1)) => {
    const { validity } = summariseTrial(trialInput(all, changes));
    expect(validity.valid).toBe(validity.reasons.length === 0);
    return validity.reasons.join('\n');
  };

  it('when nothing came due', () => {
    const all = completedOutcomes(3, 1);
    for (let row = 0; row < 3; row++) forget(all, row);
    expect(reasonsOf({ plannedVisitors: undefined }, all)).toMatch(/nothing was measured/);
  });
  it('when the generator was late, and not at the limit itself', () => {
    expect(reasonsOf({ generator: { ...punctual, lateP99Ms: 10.1 } })).toMatch(/was late.*10\.1 ms.*limit 10 ms/);
    expect(reasonsOf({ generator: { ...punctual, lateP99Ms: 10 } })).toBe('');
  });
  it('when an open-loop engine does not know how late it was', () => {
    const unknown = { ...punctual, lateP99Ms: Number.NaN };
    expect(reasonsOf({ generator: unknown })).toMatch(/could not tell how late/);
    expect(reasonsOf({ generator: unknown, plannedVisitors: undefined })).toBe('');
  });
  it('when the generator ran out of descriptors', () => {
    expect(reasonsOf({ generator: { ...punctual, ownFailures: 3 } })).toMatch(/file descriptors.*3 times/);
  });
  it('when planned visitors never arrived', () => {
    expect(reasonsOf({ plannedVisitors: 12 })).toMatch(/2 of 12 planned visitors never arrived/);
  });
  it('when a request never ended', () => {
    const all = completedOutcomes(10, 1);
    all.state[4] = RequestState.underWay;
    expect(reasonsOf({}, all)).toMatch(/does not balance: 1 of 10 requests ended neither/);
  });
  it('when a dropped request has no cause', () => {
    const all = completedOutcomes(10, 1);
    drop(all, 4);
    drop(all, 5);
    expect(reasonsOf({ dropped: new Map([[4, exhausted]]) }, all)).toMatch(
      /2 requests were dropped, but 1 have a cause/,
    );
  });
  it('when a visitor stopped in the middle', () => {
    const all = completedOutcomes(10, 2);
    forget(all, 1);
    expect(reasonsOf({}, all)).toMatch(/10 visitors arrived, but 9 were served/);
  });
  it('when the caller says so', () => {
    expect(reasonsOf({ problems: ['the tap lost 3 packets'] })).toBe('the tap lost 3 packets');
  });
});

describe('trials as one', () => {
  it('sums counts, keeps peaks and the worst lateness, merges histograms, averages throughput', () => {
    const fast = completedOutcomes(99, 1);
    const slow = completedOutcomes(1, 1);
    complete(slow, 0, 300, 400);
    const first = { trial: 1, ...summariseTrial(trialInput(fast, { tickets: { stock: 50, sold: 9 } })) };
    const second = {
      trial: 2,
      ...summariseTrial(
        trialInput(slow, {
          tickets: { stock: 50, sold: 1 },
          generator: { ...punctual, lateP99Ms: 7, cpuSeconds: 3 },
          pools: { edge: { capacity: 500, peak: 500, peakShare: 1 } },
        }),
      ),
    };
    const merged = mergeTrials([first, second], [latencyHistograms(fast), latencyHistograms(slow)]);
    expect(merged.requests).toMatchObject({ due: 100, completed: 100, dropped: 0, attempts: 100 });
    expect(merged.tickets).toEqual({ stock: 100, sold: 10 });
    expect(merged.latency.response).toMatchObject({
      p50: expect.closeTo(5, 1),
      p99: expect.closeTo(5, 1),
      max: 400,
      count: 100,
    });
    expect(merged.ports.edge.peak).toBe(500);
    expect(merged.generator).toMatchObject({ engine: 'socket', lateP99Ms: 7, cpuSeconds: 5 });
    expect(merged.throughput.completedPerSecond).toBeCloseTo(
      (first.throughput.completedPerSecond + second.throughput.completedPerSecond) / 2,
    );
    expect(merged.validity.valid).toBe(true);
  });

  it('sums equal causes and their counters', () => {
    const one = () => {
      const all = completedOutcomes(10, 1);
      drop(all, 3);
      const counters = { edge: { 'conntrack.insert_failed': 6 } };
      return { trial: 1, ...summariseTrial(trialInput(all, { dropped: new Map([[3, exhausted]]), counters })) };
    };
    const { byCause } = mergeTrials([one(), one()], []).requests;
    expect(byCause).toHaveLength(1);
    expect(byCause[0].count).toBe(2);
    expect(byCause[0].evidence).toContainEqual({ source: 'edge: conntrack insert_failed', value: 12 });
  });

  it('is invalid when one trial is, and says which', () => {
    const good = { trial: 1, ...summariseTrial(trialInput(completedOutcomes(5, 1))) };
    const bad = { trial: 2, ...summariseTrial(trialInput(completedOutcomes(5, 1), { problems: ['no'] })) };
    expect(mergeTrials([good, bad], []).validity).toEqual({ valid: false, reasons: ['trial 2: no'] });
  });

  it('is invalid without any trial', () => {
    expect(mergeTrials([], []).validity.valid).toBe(false);
  });
});
