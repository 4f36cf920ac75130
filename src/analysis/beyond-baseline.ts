/** Whether trials can show that a metric lies beyond a bound: an exact permutation test on the trials' values. */
import { randomStream } from '../traffic/random.js';

/** Chance of failing a gate whose bound is kept: the level of the test. */
export const ALPHA = 0.05;

/** On which side of the bound a value breaks it. */
export type BrokenSide = 'above' | 'below' | 'either';

/** From so many ways to share out the trials on, a sample of them stands for all. */
const MOST_EXACT = 50_000;
const SAMPLES = 20_000;
/** The same trials give the same answer for ever. */
const SEED = 1;

/**
 * The probability (p value) that trials of one and the same distribution would lie as far on this side of each other as `run` lies from
 * `bound`, which holds the baseline's trials moved to the bound. Under the null hypothesis that the run keeps exactly to its bound, the
 * labels of the trials are exchangeable, so every way to share them out is equally likely; the statistic is the difference of means.
 * Exact up to 50,000 ways, from a sample of 20,000 beyond that, counted as (b + 1) / (n + 1).
 *
 * Sources: E. J. G. Pitman, "Significance tests which may be applied to samples from any populations", J. R. Stat. Soc. Suppl. 4 (1937);
 * B. Phipson and G. K. Smyth, "Permutation p-values should never be zero", Stat. Appl. Genet. Mol. Biol. 9 (2010), for the sample.
 */
export function permutationP(run: number[], bound: number[], side: BrokenSide): number {
  const all = [...run, ...bound];
  const expected = (sum(all) * run.length) / all.length;
  const distance = (total: number) => {
    const difference = total - expected;
    return side === 'above' ? difference : side === 'below' ? -difference : Math.abs(difference);
  };
  // Sums of the same numbers in another order may differ in their last digits.
  const seen = distance(sum(run)) - 1e-9 * Math.max(...all.map(Math.abs), Number.MIN_VALUE);
  if (waysToChoose(all.length, run.length) > MOST_EXACT) {
    const asFar = sampledSums(all, run.length).filter((total) => distance(total) >= seen).length;
    return (asFar + 1) / (SAMPLES + 1);
  }
  let [asFar, ways] = [0, 0];
  for (const total of sums(all, run.length, 0)) {
    ways++;
    if (distance(total) >= seen) asFar++;
  }
  return asFar / ways;
}

/** Whether the test can fail a gate at all: with 3 and 3 trials it can, with 2 and 2 even the worst values leave p at 1/6. */
export function canShow(runTrials: number, baselineTrials: number, side: BrokenSide): boolean {
  if (runTrials === 0 || baselineTrials === 0) return false;
  const least = 1 / waysToChoose(runTrials + baselineTrials, runTrials);
  // Two-sided, with as many trials on either side, the mirror image is as far.
  return (side === 'either' && runTrials === baselineTrials ? 2 * least : least) <= ALPHA;
}

/** Sums of all subsets of this size, from `from` on. */
function* sums(values: number[], size: number, from: number): Generator<number, void, undefined> {
  if (size === 0) {
    yield 0;
    return;
  }
  for (let at = from; at <= values.length - size; at++)
    for (const rest of sums(values, size - 1, at + 1)) yield values[at] + rest;
}

/** Sums of random subsets of this size: the first ones of shuffles (Fisher and Yates). */
function sampledSums(values: number[], size: number): number[] {
  const random = randomStream(SEED);
  const shuffled = [...values];
  return Array.from({ length: SAMPLES }, () => {
    for (let at = 0; at < size; at++) {
      const other = at + Math.floor(random.next() * (shuffled.length - at));
      [shuffled[at], shuffled[other]] = [shuffled[other], shuffled[at]];
    }
    return sum(shuffled.slice(0, size));
  });
}

/** The binomial coefficient. */
function waysToChoose(all: number, some: number): number {
  let ways = 1;
  for (let step = 1; step <= some; step++) ways = (ways * (all - some + step)) / step;
  return Math.round(ways);
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
