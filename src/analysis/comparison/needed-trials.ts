/** How many trials a comparison needs: to be able to show anything, and to show a difference as large as the one that was seen. */

import { smallestPOf } from '../permutation.js';
import { normalQuantile } from './distributions.js';

/** How sure one wants to be to see a difference that is there. */
const POWER = 0.8;
/** Beyond this nobody would wait. */
export const MOST_TRIALS = 10_000;

/** The smallest number of trials per setting at which `metrics` metrics, told together, can show a difference at all. */
export function trialsToShowAnything(metrics: number, alpha: number, paired: boolean): number {
  for (let trials = 1; trials < MOST_TRIALS; trials++)
    if (smallestPOf([trials, trials], paired) * Math.max(1, metrics) <= alpha) return trials;
  return MOST_TRIALS;
}

/**
 * Trials per setting that show a difference of this size four times of five, were it the true one: the normal approximation, with Guenther's
 * correction for few trials ("Sample size formulas for normal theory t tests", The American Statistician 35, 1981). `deviation` is the standard
 * deviation of the paired differences, or within one setting where trials are no pairs. At most `MOST_TRIALS`; null where
 * nothing differs, or where a single trial does not tell how much they vary.
 */
export function trialsToShow(
  difference: number,
  deviation: number,
  { metrics, alpha, paired }: { metrics: number; alpha: number; paired: boolean },
): number | null {
  if (difference === 0 || Number.isNaN(deviation)) return null;
  const tail = normalQuantile(1 - alpha / Math.max(1, metrics) / 2);
  const effect = Math.abs(difference) / deviation;
  const needed = (paired ? 1 : 2) * ((tail + normalQuantile(POWER)) / effect) ** 2 + tail ** 2 / (paired ? 2 : 4);
  const possible = trialsToShowAnything(metrics, alpha, paired);
  return Math.min(MOST_TRIALS, Math.max(possible, deviation === 0 ? possible : Math.ceil(needed)));
}
