import { encodeIntoCompressedBase64, HistogramLogReader } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { latencyHistograms, latencyLog, newHistogram, summariseLatency } from '../../src/record/latency.js';
import { complete, completedOutcomes } from '../helpers/trials.js';

describe('an HdrHistogram log', () => {
  it('holds one interval per second, in µs, that the standard reader understands', () => {
    const all = completedOutcomes(2500, 1);
    complete(all, 0, 2, 7);
    const { text: log } = latencyLog(all, 'response', { startedAtMs: 1_700_000_000_123, tag: 'wider pool,1' });
    const reader = new HistogramLogReader(log);
    const intervals = [];
    for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram())
      intervals.push(next);
    expect(reader.startTimeSec).toBe(1_700_000_000.123);
    // Visitor n ends at n + 5 ms.
    expect(intervals.map(({ totalCount }) => totalCount)).toEqual([995, 1000, 505]);
    expect(intervals.map(({ tag }) => tag)).toEqual(['wider-pool-1', 'wider-pool-1', 'wider-pool-1']);
    expect(intervals[0].maxValue / 1000).toBeCloseTo(7, 1);
    expect(log.split('\n').slice(0, -1)).not.toContain('');
  });

  it('comes with the histogram of all its intervals', () => {
    const all = completedOutcomes(2500, 1);
    complete(all, 0, 2, 7);
    const { histogram } = latencyLog(all, 'response', { startedAtMs: 0, tag: 'x' });
    const { response } = latencyHistograms(all);
    expect(encodeIntoCompressedBase64(histogram)).toBe(encodeIntoCompressedBase64(response));
    expect(summariseLatency(histogram)).toEqual(summariseLatency(response));
  });

  it('is an empty log, not a broken one, where nothing completed', () => {
    const { text: log } = latencyLog(completedOutcomes(0, 1), 'connect', { startedAtMs: 0, tag: 'x' });
    expect(new HistogramLogReader(log).nextIntervalHistogram()).toBeNull();
  });
});

describe('a latency summary', () => {
  it('is exact to three digits and never above the largest value', () => {
    const histogram = newHistogram();
    for (let us = 1; us <= 100_000; us++) histogram.recordValue(us);
    const summary = summariseLatency(histogram);
    expect(summary.count).toBe(100_000);
    expect(summary.max).toBe(100);
    for (const [stat, exact] of [
      ['p50', 50],
      ['p90', 90],
      ['p99', 99],
      ['p999', 99.9],
      ['mean', 50],
    ] as const)
      expect(Math.abs(summary[stat] - exact) / exact).toBeLessThan(0.001);
    expect(summary.p999).toBeLessThanOrEqual(summary.max);
  });

  it('has a count of 0 and no NaN where nothing was recorded', () => {
    expect(summariseLatency(newHistogram())).toEqual({ p50: 0, p90: 0, p99: 0, p999: 0, max: 0, mean: 0, count: 0 });
  });
});
