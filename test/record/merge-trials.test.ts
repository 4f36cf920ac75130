import { describe, expect, it } from 'vitest';
import { latencyHistograms } from '../../src/record/latency.js';
import { mergeTrials } from '../../src/record/merge-trials.js';
import { summariseTrial } from '../../src/record/summarise.js';
import { complete, completedOutcomes, drop, exhausted, punctual, trialInput } from '../helpers/trials.js';

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
