/** Never a winner by noise: the same setting twice, 200 seeds, at most 5 % false alarms; and a difference that is there is found. */
import { describe, expect, it } from 'vitest';
import { type CompareOptions, compareRuns } from '../../../src/analysis/comparison/compare.js';
import type { Comparison } from '../../../src/analysis/comparison/comparison.js';
import type { RunRecord } from '../../../src/record/run-record.js';
import { simulatedRun } from '../../helpers/simulated-runs.js';

const quick = (run: RunRecord, other?: RunRecord, options: CompareOptions = {}) =>
  compareRuns(run, other, { resamples: 100, ...options });
const verdicts = (comparison: Comparison) =>
  comparison.pairs.flatMap(({ metrics }) => metrics.map(({ verdict }) => verdict));
const alarms = (comparison: Comparison) => verdicts(comparison).some((one) => one === 'better' || one === 'worse');
const verdictOf = (comparison: Comparison, name: string) =>
  comparison.pairs[0].metrics.find(({ metric }) => metric === name)?.verdict;
const same = { drops: 40 };
const share = (seeds: number, holds: (seed: number) => boolean) =>
  Array.from({ length: seeds }, (_, index) => index + 1).filter(holds).length / seeds;

describe('the same setting twice', () => {
  it.each([6, 10, 14, 20])('raises at most 5 false alarms in 100 comparisons with %i trials', (trials) => {
    const rate = share(200, (seed) => alarms(quick(simulatedRun({ seed, trials, settings: { a: same, b: same } }))));
    expect(rate).toBeLessThanOrEqual(0.05);
  });

  it('and of five variants none stands out, either', () => {
    const settings = { a: same, b: same, c: same, d: same, e: same };
    const rate = share(200, (seed) => alarms(quick(simulatedRun({ seed, trials: 13, settings }))));
    expect(rate).toBeLessThanOrEqual(0.05);
  });

  it('nor on a machine that slows down all the time', () => {
    const rate = share(200, (seed) =>
      alarms(quick(simulatedRun({ seed, trials: 12, settings: { a: same, b: same }, drift: 0.05 }))),
    );
    expect(rate).toBeLessThanOrEqual(0.05);
  });

  it('nor in two runs with arrivals of their own', () => {
    // Far more of them, as each is quick: at a true rate just below 5 %, 200 would pass only half of the time.
    const rate = share(1000, (seed) => {
      const run = (own: number) => {
        const scenario = { name: 'simulated', file: 's.yaml', sha256: 'aa', seed: own };
        return simulatedRun({ seed: own, trials: 7, settings: { a: same } }, { id: `run-${own}`, scenario });
      };
      return alarms(quick(run(seed), run(seed + 1000)));
    });
    expect(rate).toBeLessThanOrEqual(0.05);
  });
});

describe('a difference that is there', () => {
  it('is found in 14 trials: a third of the drops, and answers that take twice as long', () => {
    const settings = { base: { drops: 120 }, other: { drops: 40, slower: 2 } };
    const found = Array.from({ length: 50 }, (_, seed) => quick(simulatedRun({ seed, trials: 14, settings })));
    const rate = (name: string, verdict: string) => found.filter((one) => verdictOf(one, name) === verdict).length / 50;
    expect(rate('dropped.ports-exhausted@edge', 'better')).toBeGreaterThan(0.9);
    expect(rate('latency.response.p50', 'worse')).toBeGreaterThan(0.8);
    expect(rate('dropped.ports-exhausted@edge', 'worse')).toBe(0);
    expect(rate('latency.response.p50', 'better')).toBe(0);
  });
});
