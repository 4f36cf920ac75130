/** A gate on what a baseline measured: it fails when the trials show that the bound is broken, by a plain comparison where they are too few. */
import type { GateResult } from '../record/run-record.js';
import type { Margin, Operator, RelativeGate } from './gate-expression.js';
import { type GateNumbers, observe } from './observe-metric.js';
import { labelTest, type Side, smallestPOf } from './permutation.js';

/** Chance of failing a gate whose bound is kept: the level of the test. */
const ALPHA = 0.05;

/** On which side of the bound a value breaks it. */
const BROKEN_SIDE: Record<RelativeGate['operator'], Side> = {
  '<': 'above',
  '<=': 'above',
  '>': 'below',
  '>=': 'below',
  '==': 'either',
};

/**
 * Evaluates a relative gate. All its numbers are means over trials, so that three trials can be held against five. With enough trials on
 * both sides it fails only when the mean is beyond the bound *and* chance alone would bring that about in at most 5 % of cases; the
 * baseline's trials, moved by the margin, stand for the bound. With fewer trials, one on each side for example, the means are compared.
 * What the run or the baseline did not measure fails.
 */
export function evaluateRelative(
  gate: string,
  expression: RelativeGate,
  runTrials: GateNumbers[],
  baselineTrials: GateNumbers[],
): GateResult {
  const { operator, margin } = expression;
  const trials = { run: runTrials.length, baseline: baselineTrials.length };
  const run = measuredIn(expression, runTrials);
  const baseline = measuredIn(expression, baselineTrials);
  if (run === null || baseline === null) {
    const value = baseline === null ? null : mean(baseline);
    const bound = value === null ? null : moved(value, margin);
    return { gate, observed: run === null ? null : mean(run), pass: false, baseline: { value, bound, trials } };
  }
  const observed = mean(run);
  const value = mean(baseline);
  const bound = moved(value, margin);
  const against = { value, bound, trials };
  const within = holds(observed, operator, bound);
  const side = BROKEN_SIDE[operator];
  if (smallestPOf([trials.run, trials.baseline], false, side) > ALPHA)
    return { gate, observed, pass: within, baseline: against };
  const atBound = baseline.map((one) => moved(one, margin));
  const { p } = labelTest(run, atBound, { side });
  return { gate, observed, pass: within || p > ALPHA, baseline: { ...against, p: round(p) } };
}

/** Whether a comparison is true. */
export function holds(observed: number, operator: Operator, value: number): boolean {
  switch (operator) {
    case '==':
      return observed === value;
    case '!=':
      return observed !== value;
    case '<':
      return observed < value;
    case '<=':
      return observed <= value;
    case '>':
      return observed > value;
    case '>=':
      return observed >= value;
  }
}

/** The metric of every trial; null when one of them did not measure it, or there is none. */
function measuredIn(expression: RelativeGate, trials: GateNumbers[]): number[] | null {
  const values = trials.map((trial) => observe(expression, trial));
  return values.length === 0 || values.includes(null) ? null : (values as number[]);
}

function moved(value: number, margin: Margin): number {
  return round('share' in margin ? value * (1 + margin.share) : value + margin.amount);
}

function mean(values: number[]): number {
  return round(values.reduce((sum, value) => sum + value, 0) / values.length);
}

/** 200 and 10 % are 220, not 220.00000000000003: equal numbers must be equal. */
function round(value: number): number {
  return Number(value.toPrecision(12));
}
