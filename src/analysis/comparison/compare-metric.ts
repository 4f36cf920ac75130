/** One metric of two settings, from its values by trial: how far apart, how sure, by what chance. */
import { mean, sampleVariance } from 'simple-statistics';
import type { TrialRecord } from '../../record/run-record.js';
import { labelTest, signFlipTest, type TestResult } from '../permutation.js';
import { pairedInterval, unpairedInterval } from './bootstrap.js';
import type { Side } from './comparison.js';
import { type ComparedMetric, SHORTEST_MS } from './metrics.js';

/** The trials of two settings; those of a pair stand at the same place. */
export interface Trials {
  base: TrialRecord[];
  other: TrialRecord[];
  paired: boolean;
}

/** What the values of one metric say by themselves, before the number of metrics is known. */
export interface Contrast {
  metric: ComparedMetric;
  base: Side;
  other: Side;
  /** Undefined where a trial has no such number. */
  measured?: {
    /** On the metric's scale; see `MetricComparison.change`. */
    change: number;
    interval: [number, number] | null;
    test: TestResult;
    /** The difference (of logarithms, on the scale `ratio`) and the standard deviation of trials: they tell how many it takes. */
    difference: number;
    deviation: number;
  };
}

/** Compares one metric. */
export function contrastOf(
  metric: ComparedMetric,
  { base, other, paired }: Trials,
  options: { confidence: number; resamples: number },
): Contrast {
  const sides = [base, other].map((trials) => trials.map(metric.valueOf));
  const [a, b] = sides.map((values) => (values.includes(null) ? [] : toScale(values as number[], metric)));
  const [baseSide, otherSide] = [a, b].map((scaled, index) => sideOf(sides[index], scaled, metric));
  if (a.length === 0 || b.length === 0) return { metric, base: baseSide, other: otherSide };
  const differences = a.map((value, index) => b[index] - value);
  const difference = paired ? mean(differences) : mean(b) - mean(a);
  const interval = paired ? pairedInterval(differences, options) : unpairedInterval(a, b, options);
  return {
    metric,
    base: baseSide,
    other: otherSide,
    measured: {
      change: fromScale(difference, metric),
      interval: interval === null ? null : [fromScale(interval[0], metric), fromScale(interval[1], metric)],
      test: paired ? signFlipTest(differences) : labelTest(a, b),
      difference,
      deviation: Math.sqrt(paired ? varianceOf(differences) : (varianceOf(a) + varianceOf(b)) / 2),
    },
  };
}

function sideOf(values: (number | null)[], scaled: number[], metric: ComparedMetric): Side {
  return { values, mean: scaled.length === 0 ? null : fromScale(mean(scaled), metric) };
}

function toScale(values: number[], { scale }: ComparedMetric): number[] {
  return scale === 'ratio' ? values.map((value) => Math.log(Math.max(value, SHORTEST_MS))) : values;
}

function fromScale(value: number, { scale }: ComparedMetric): number {
  return scale === 'ratio' ? Math.exp(value) : value;
}

/** NaN of a single trial: nothing is known of how trials vary. */
function varianceOf(values: number[]): number {
  return values.length < 2 ? Number.NaN : sampleVariance(values);
}
