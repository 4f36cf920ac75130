/**
 * Permutation tests: how often chance alone would set two settings as far apart as they were seen. Exact where all arrangements can be
 * gone through, however few trials there are and however their numbers are distributed; else by random ones, counted as Phipson and Smyth
 * do ("Permutation P-values should never be zero", Statistical Applications in Genetics and Molecular Biology 9, 2010).
 */
import { sum } from 'simple-statistics';
import { type RandomStream, randomStream } from '../traffic/random.js';

/** What a test says. */
export interface TestResult {
  /** The share of arrangements at least as far apart as the trials were, on the side that was asked about. */
  p: number;
  /** The smallest p that these numbers can give, however they are arranged. */
  smallestP: number;
  /** Whether there is any difference: within a pair, or between any two trials that are no pairs. */
  differs: boolean;
  /** Whether all arrangements were gone through. */
  exact: boolean;
}

/** Where the base would have to lie, seen from the other setting, to count as far apart. */
export type Side = 'above' | 'below' | 'either';

/** Up to so many arrangements are gone through one by one: 17 paired trials, or 10 against 10. */
const MOST_ENUMERATED = 200_000;
/** So many are drawn where there are more. */
export const DRAWS = 19_999;
/** Sums of the same numbers in another order may differ by their rounding. */
const ROUNDING = 1e-9;

/**
 * Of paired trials: the differences within pairs, each of which chance could as well have given the other sign (Fisher 1935, The Design of
 * Experiments, §21). The statistic is their mean.
 */
export function signFlipTest(differences: readonly number[], seed = 1): TestResult {
  const distances = differences.filter((difference) => difference !== 0).map(Math.abs);
  const tally = newTally(sum([...differences, 0]), sum([...distances, 0]), 'either');
  if (2 ** distances.length <= MOST_ENUMERATED) {
    const flip = (index: number, total: number): void => {
      if (index === distances.length) tally.add(total);
      else {
        flip(index + 1, total + distances[index]);
        flip(index + 1, total - distances[index]);
      }
    };
    // Turning all signs round leaves the distance as it is, so the first one may stay.
    flip(Math.min(1, distances.length), distances[0] ?? 0);
    return tally.ofAll(distances.length > 0);
  }
  const random = randomStream(seed);
  const doubled = Float64Array.from(distances, (distance) => 2 * distance);
  const allMinus = -sum(distances);
  for (let draw = 0; draw < DRAWS; draw++) {
    let total = allMinus;
    let bits = 0;
    for (let index = 0; index < doubled.length; index++) {
      bits = index % 32 === 0 ? random.next32() : bits >>> 1;
      total += (bits & 1) * doubled[index];
    }
    tally.add(total);
  }
  return tally.ofDrawn(true);
}

/**
 * Of trials that are no pairs: chance could as well have dealt the same numbers to the two settings in any other way (Fisher 1935;
 * Pitman 1937, Supplement to the Journal of the Royal Statistical Society 4). The statistic is the difference of the means.
 */
export function labelTest(
  base: readonly number[],
  other: readonly number[],
  { side = 'either', seed = 1 }: { side?: Side; seed?: number } = {},
): TestResult {
  const all = [...base, ...other];
  const differs = all.some((value) => value !== all[0]);
  const total = sum(all);
  const apart = (baseSum: number) => baseSum / base.length - (total - baseSum) / other.length;
  const tally = newTally(apart(sum([...base])), sum(all.map(Math.abs)), side);
  if (combinations(all.length, base.length) <= MOST_ENUMERATED) {
    const deal = (index: number, left: number, baseSum: number): void => {
      if (left === 0) tally.add(apart(baseSum));
      else {
        if (all.length - index > left) deal(index + 1, left, baseSum);
        deal(index + 1, left - 1, baseSum + all[index]);
      }
    };
    deal(0, base.length, 0);
    return tally.ofAll(differs);
  }
  const random = randomStream(seed);
  for (let draw = 0; draw < DRAWS; draw++) tally.add(apart(drawSum(all, base.length, random)));
  return tally.ofDrawn(differs);
}

/**
 * The smallest p that so many trials of the base and of the other setting can give at all: with n pairs 2 of the 2^n arrangements lie as far
 * apart as can be.
 */
export function smallestPOf(trials: readonly [number, number], paired: boolean, side: Side = 'either'): number {
  const [base, other] = trials;
  const ways = paired ? 2 ** Math.min(base, other) : combinations(base + other, base);
  // Two-sided, with as many trials of either, the mirror image lies as far apart.
  const smallest = Math.min(1, (side === 'either' && (paired || base === other) ? 2 : 1) / ways);
  return ways <= MOST_ENUMERATED ? smallest : Math.max(smallest, 1 / (DRAWS + 1));
}

/** Counts arrangements by how far apart they are, against what was observed; `scale` tells rounding from a difference. */
function newTally(observed: number, scale: number, side: Side) {
  const distanceOf = side === 'either' ? Math.abs : (statistic: number) => (side === 'above' ? statistic : -statistic);
  const seen = distanceOf(observed);
  const tolerance = scale * ROUNDING;
  let [arrangements, asFar, farthest, atFarthest] = [0, 0, Number.NEGATIVE_INFINITY, 0];
  return {
    add(statistic: number): void {
      const distance = distanceOf(statistic);
      arrangements++;
      if (distance >= seen - tolerance) asFar++;
      if (distance > farthest + tolerance) [farthest, atFarthest] = [distance, 1];
      else if (distance >= farthest - tolerance) atFarthest++;
    },
    ofAll: (differs: boolean): TestResult => ({
      p: asFar / arrangements,
      smallestP: atFarthest / arrangements,
      differs,
      exact: true,
    }),
    ofDrawn: (differs: boolean): TestResult => ({
      p: (asFar + 1) / (arrangements + 1),
      smallestP: differs ? 1 / (arrangements + 1) : 1,
      differs,
      exact: false,
    }),
  };
}

/** The sum of `size` of the values, drawn without putting back (Fisher and Yates); leaves them in another order. */
function drawSum(values: number[], size: number, random: RandomStream): number {
  let total = 0;
  for (let index = 0; index < size; index++) {
    const chosen = index + Math.floor((random.next32() / 2 ** 32) * (values.length - index));
    [values[index], values[chosen]] = [values[chosen], values[index]];
    total += values[index];
  }
  return total;
}

function combinations(of: number, size: number): number {
  let ways = 1;
  for (let index = 1; index <= size; index++) ways = (ways * (of - size + index)) / index;
  return Math.round(ways);
}
