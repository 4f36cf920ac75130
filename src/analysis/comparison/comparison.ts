/** A comparison as a value: what `portparty compare --json` prints and reports render (docs/compare.md). */
import type { GateUnit } from '../gate-expression.js';
import type { Obstacle } from './comparable.js';

/** Value of `schema`; the number rises when a field is removed or changes its meaning. */
export const COMPARISON_SCHEMA = 'portparty/comparison@1';

/**
 * What the trials show of a metric. `better`, `worse` (`higher`, `lower` where neither is better): shown, at the stated confidence over all metrics.
 * `no-difference`: none that so many trials can show. `too-few-trials`: so few trials could not show any. `same`: the same number in every trial.
 * `not-measured`: a trial has no such number.
 */
export type MetricVerdict =
  | 'better'
  | 'worse'
  | 'higher'
  | 'lower'
  | 'no-difference'
  | 'too-few-trials'
  | 'same'
  | 'not-measured';

/** One side of a metric. */
export interface Side {
  /** By trial, in their order; null where nothing of the kind was measured. */
  values: (number | null)[];
  /** The mean of the trials, the geometric one on the scale `ratio`; null where a trial has none. */
  mean: number | null;
}

/** One metric of two settings. */
export interface MetricComparison {
  /** As a gate names it. */
  metric: string;
  /** Latencies in ms, shares from 0 to 1. */
  unit: GateUnit;
  better: 'less' | 'more' | null;
  scale: 'difference' | 'ratio';
  base: Side;
  other: Side;
  /** `other - base` of the means; on the scale `ratio` `other / base`. null where it was not measured. */
  change: number | null;
  /** The confidence interval of `change`, of this metric by itself; null with less than two trials. */
  interval: [number, number] | null;
  /** Of the permutation test by itself; null where it was not measured. */
  p: number | null;
  /** Adjusted for all metrics of the comparison: the one that decides. */
  adjustedP: number | null;
  verdict: MetricVerdict;
  /** Trials per setting that would show a difference of this size four times of five, were it the true one; null where nothing differs. */
  trialsNeeded: number | null;
}

/** Two settings. */
export interface PairComparison {
  base: { run: string; variant: string };
  other: { run: string; variant: string };
  /** Whether trials of the same number had the same arrivals and are compared with each other. */
  paired: boolean;
  /** Trials that were compared. */
  trials: { base: number; other: number };
  /** Requests that were dropped in them. */
  dropped: { base: number; other: number };
  /** Whether each p is from all arrangements of the trials, or from random ones. */
  exact: boolean;
  metrics: MetricComparison[];
  /** Trials per setting from which on this comparison, with as many metrics, can show anything. */
  trialsToShowAnything: number;
}

/** A whole comparison. */
export interface Comparison {
  schema: typeof COMPARISON_SCHEMA;
  scenario: string;
  /** 0.95: of each interval; and 1 less the chance that any `better` or `worse` of the whole comparison is false. */
  confidence: number;
  /** Metrics that share that chance, over all pairs: those that could have shown a difference. */
  metricsTested: number;
  resamples: number;
  /** Differences beside the setting, by name; those with `refused` were forced. */
  marks: Obstacle[];
  pairs: PairComparison[];
}
