/**
 * Confidence intervals by the bootstrap over trials: bias-corrected and accelerated (BCa; Efron and Tibshirani 1993, An Introduction to the
 * Bootstrap, §14.3). A bootstrap of few trials is too narrow, so its tails are moved out as far as Student's t is wider than the normal
 * distribution (Hesterberg 2015, "What Teachers Should Know About the Bootstrap", The American Statistician 69, §3.1).
 */
import { mean, quantileSorted, sum, variance } from 'simple-statistics';
import { randomStream } from '../../traffic/random.js';
import { normalQuantile, normalShare, tQuantile } from './distributions.js';

/** Resamples of an interval. */
export const RESAMPLES = 10_000;

/** How an interval is made. */
export interface IntervalOptions {
  /** 0.95 for an interval that holds the truth 95 times of 100. */
  confidence: number;
  resamples?: number;
  seed?: number;
}

/** An interval for the mean of paired differences. @returns null for less than two trials */
export function pairedInterval(differences: readonly number[], options: IntervalOptions): [number, number] | null {
  return interval([{ values: differences, sign: 1 }], options);
}

/** An interval for the mean of the other setting's trials less that of the base's. @returns null where one has less than two */
export function unpairedInterval(
  base: readonly number[],
  other: readonly number[],
  options: IntervalOptions,
): [number, number] | null {
  return interval(
    [
      { values: other, sign: 1 },
      { values: base, sign: -1 },
    ],
    options,
  );
}

/** Trials that are drawn from each other, and how their mean counts. */
interface Group {
  values: readonly number[];
  sign: 1 | -1;
}

function interval(groups: Group[], options: IntervalOptions): [number, number] | null {
  if (groups.some(({ values }) => values.length < 2)) return null;
  const { confidence, resamples = RESAMPLES, seed = 1 } = options;
  const observed = sum(groups.map(({ values, sign }) => sign * mean([...values])));
  if (groups.every(({ values }) => variance([...values]) === 0)) return [observed, observed];
  const means = resampledMeans(groups, resamples, seed);
  const bias = biasCorrection(means, observed);
  const acceleration = accelerationOf(groups);
  const tail = widenedTail(groups, confidence);
  const at = (z: number) => {
    const shifted = bias + z;
    const bent = 1 - acceleration * shifted;
    // Bent so far that the tail would come round from the other side: the outermost resample.
    return quantileSorted(means, bent <= 0 ? Number(z > 0) : normalShare(bias + shifted / bent));
  };
  return [at(-tail), at(tail)];
}

function resampledMeans(groups: Group[], resamples: number, seed: number): number[] {
  const random = randomStream(seed);
  const means = new Float64Array(resamples);
  for (const { values, sign } of groups) {
    for (let resample = 0; resample < resamples; resample++) {
      let total = 0;
      for (let drawn = 0; drawn < values.length; drawn++)
        total += values[Math.floor((random.next32() / 2 ** 32) * values.length)];
      means[resample] += (sign * total) / values.length;
    }
  }
  return [...means.sort()];
}

/** z0: how far the middle of the resamples lies from what was observed; those that hit it count half. */
function biasCorrection(means: number[], observed: number): number {
  const tolerance = 1e-9 * Math.max(...[means[0], means[means.length - 1], observed].map(Math.abs));
  let below = 0;
  for (const one of means) {
    if (one < observed - tolerance) below++;
    else if (one <= observed + tolerance) below += 0.5;
  }
  return normalQuantile(below / means.length);
}

/** a, from the influence of each trial on a mean (Efron and Tibshirani 1993, (14.15); of two groups: Davison and Hinkley 1997, §5.3.2). */
function accelerationOf(groups: Group[]): number {
  let [cubes, squares] = [0, 0];
  for (const { values, sign } of groups) {
    const middle = mean([...values]);
    for (const value of values) {
      const influence = (sign * (value - middle)) / values.length;
      cubes += influence ** 3;
      squares += influence ** 2;
    }
  }
  return cubes / (6 * squares ** 1.5);
}

/** The normal quantile that takes the place of 1.96: wider by the t distribution, and by what a resample's variance lacks. */
function widenedTail(groups: Group[], confidence: number): number {
  const parts = groups.map(({ values }) => ({
    plain: variance([...values]) / values.length,
    unbiased: variance([...values]) / (values.length - 1),
    freedom: values.length - 1,
  }));
  const plain = sum(parts.map((part) => part.plain));
  const unbiased = sum(parts.map((part) => part.unbiased));
  // Welch 1947 and Satterthwaite 1946: the degrees of freedom of a sum of variances.
  const freedom = unbiased ** 2 / sum(parts.map((part) => part.unbiased ** 2 / part.freedom));
  return Math.sqrt(unbiased / plain) * tQuantile((1 + confidence) / 2, Math.max(1, Math.floor(freedom + 1e-9)));
}
