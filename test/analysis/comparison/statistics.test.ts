/** The parts of a comparison by themselves: exact tests, intervals that hold what they say, Holm's procedure, the number of trials. */
import { describe, expect, it } from 'vitest';
import { pairedInterval, unpairedInterval } from '../../../src/analysis/comparison/bootstrap.js';
import { normalQuantile, normalShare, tQuantile } from '../../../src/analysis/comparison/distributions.js';
import { holm } from '../../../src/analysis/comparison/holm.js';
import { MOST_TRIALS, trialsToShow, trialsToShowAnything } from '../../../src/analysis/comparison/needed-trials.js';
import { DRAWS, labelTest, signFlipTest, smallestPOf } from '../../../src/analysis/permutation.js';
import { type RandomStream, randomStream } from '../../../src/traffic/random.js';
import { gaussian } from '../../helpers/simulated-runs.js';

describe('quantiles', () => {
  it('are those of the tables', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.95996, 4);
    expect(normalQuantile(0.8)).toBeCloseTo(0.84162, 4);
    expect(normalShare(-1.64485)).toBeCloseTo(0.05, 5);
    // R: qt(.975, c(1, 2, 4, 9, 30))
    for (const [freedom, t] of [
      [1, 12.7062],
      [2, 4.30265],
      [4, 2.77645],
      [9, 2.26216],
      [30, 2.04227],
    ])
      expect(tQuantile(0.975, freedom)).toBeCloseTo(t, 3);
  });
});

describe('sign flips', () => {
  it('give the p that can be counted by hand', () => {
    // Of 16 arrangements only all plus and all minus are as far apart.
    expect(signFlipTest([1, 2, 3, 4])).toEqual({ p: 2 / 16, smallestP: 2 / 16, differs: true, exact: true });
    // 3+2-1 = 4; as far or farther: 6, 4 and their opposites.
    expect(signFlipTest([-1, 2, 3]).p).toBe(4 / 8);
    expect(signFlipTest([5, 0, 0, 0, 0, 0, 0])).toMatchObject({ p: 1, smallestP: 1 });
    expect(signFlipTest([0, 0])).toMatchObject({ p: 1, smallestP: 1, differs: false });
    expect(signFlipTest([7])).toMatchObject({ p: 1, differs: true });
    expect(signFlipTest([])).toMatchObject({ p: 1, smallestP: 1 });
  });

  it('give what Fisher counted for the maize of Darwin', () => {
    // The Design of Experiments, 1935, §21: of 32768 arrangements 1726 are as far apart.
    const differences = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    expect(signFlipTest(differences).p).toBe(1726 / 32_768);
  });

  it('are exact: of all arrangements of the same numbers no more than 5 in 100 have a p of 5 %', () => {
    const sizes = [0.3, 9, 1.7, 1.7, 4, 0.2, 30, 2.5, 1];
    for (const alpha of [0.05, 0.01, 0.2]) {
      let alarms = 0;
      for (let signs = 0; signs < 2 ** sizes.length; signs++) {
        const { p } = signFlipTest(sizes.map((size, index) => (signs & (1 << index) ? -size : size)));
        if (p <= alpha) alarms++;
      }
      expect(alarms / 2 ** sizes.length).toBeLessThanOrEqual(alpha);
      expect(alarms / 2 ** sizes.length).toBeGreaterThan(alpha - 2 / 2 ** sizes.length - 1e-9);
    }
  });

  it('are drawn where there are too many, never with a p of 0, and the same ones each time', () => {
    const random = randomStream(3);
    const noise = Array.from({ length: 40 }, () => gaussian(random));
    const drawn = signFlipTest(noise);
    expect(drawn.exact).toBe(false);
    expect(signFlipTest(noise)).toEqual(drawn);
    // Against the normal approximation, which is good for 40 normal numbers.
    const z = noise.reduce((sum, one) => sum + one, 0) / Math.sqrt(noise.reduce((sum, one) => sum + one ** 2, 0));
    expect(drawn.p).toBeCloseTo(2 * (1 - normalShare(Math.abs(z))), 1);
    expect(signFlipTest(noise.map(Math.abs)).p).toBe(1 / (DRAWS + 1));
  });
});

describe('labels dealt anew', () => {
  it('give the p that can be counted by hand', () => {
    // 20 ways to deal 6 numbers to 3 and 3; only two lie as far apart.
    expect(labelTest([1, 2, 3], [11, 12, 13])).toEqual({ p: 2 / 20, smallestP: 2 / 20, differs: true, exact: true });
    // Of groups of different sizes there may be only one.
    expect(labelTest([1, 2], [11, 12, 13, 14]).p).toBe(1 / 15);
    // The mice of Efron and Tibshirani 1993, table 2.1; counted with Python's itertools.combinations in whole numbers.
    const [control, treated] = [
      [52, 104, 146, 10, 51, 30, 40, 27, 46],
      [94, 197, 16, 38, 99, 141, 23],
    ];
    expect(labelTest(control, treated).p).toBe(3184 / 11_440);
    expect(labelTest([7, 7], [7, 7, 7])).toMatchObject({ p: 1, smallestP: 1, differs: false });
  });

  it('are exact, with ties as well', () => {
    const values = [1, 1, 2, 5, 5, 8, 13, 40];
    let [alarms, ways] = [0, 0];
    for (let dealt = 0; dealt < 2 ** 8; dealt++) {
      const base = values.filter((_, index) => dealt & (1 << index));
      if (base.length !== 4) continue;
      ways++;
      if (
        labelTest(
          base,
          values.filter((_, index) => !(dealt & (1 << index))),
        ).p <= 0.1
      )
        alarms++;
    }
    expect(alarms / ways).toBeLessThanOrEqual(0.1);
    expect(alarms).toBeGreaterThan(0);
  });

  it('are drawn where there are too many', () => {
    const random = randomStream(4);
    const [base, other] = [15, 18].map((size) => Array.from({ length: size }, () => gaussian(random)));
    const { p, exact } = labelTest(base, other);
    expect(exact).toBe(false);
    expect(p).toBeGreaterThan(0.05);
    expect(
      labelTest(
        base,
        other.map((one) => one + 9),
      ).p,
    ).toBe(1 / (DRAWS + 1));
    expect(
      labelTest(
        base.map(() => 3),
        other.map(() => 3),
      ),
    ).toMatchObject({ p: 1, smallestP: 1 });
  });
});

it('the smallest p is what the design allows', () => {
  expect(smallestPOf([5, 5], true)).toBe(2 / 32);
  expect(smallestPOf([1, 1], true)).toBe(1);
  expect(smallestPOf([5, 5], false)).toBe(2 / 252);
  expect(smallestPOf([2, 4], false)).toBe(1 / 15);
  expect(smallestPOf([60, 60], true)).toBe(1 / (DRAWS + 1));
});

describe('Holm', () => {
  it('adjusts as in his paper, in the order given', () => {
    expect(holm([0.01, 0.04, 0.03, 0.005])).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([0.6, 0.5])).toEqual([1, 1]);
    expect(holm([])).toEqual([]);
  });
});

describe('intervals', () => {
  const coverage = (n: number, draw: (random: RandomStream) => number, truth: number) => {
    const random = randomStream(n);
    let held = 0;
    for (let round = 0; round < 400; round++) {
      const values = Array.from({ length: n }, () => draw(random));
      const [low, high] = pairedInterval(values, { confidence: 0.95, resamples: 1000 })!;
      if (low <= truth && truth <= high) held++;
    }
    return held / 400;
  };

  it.each([6, 10, 20])('hold the true mean of normal numbers about 95 times of 100 with %i trials', (n) => {
    expect(coverage(n, gaussian, 0)).toBeGreaterThan(0.92);
    expect(coverage(n, gaussian, 0)).toBeLessThan(0.99);
  });

  it('hold the true mean of skewed numbers nearly as often', () => {
    expect(coverage(12, (random) => -Math.log(1 - random.next()), 1)).toBeGreaterThan(0.9);
  });

  it('of two groups lie around the difference of their means, and turn round with them', () => {
    const [base, other] = [
      [10, 12, 11, 13, 9],
      [20, 22, 19, 25, 21],
    ];
    const [low, high] = unpairedInterval(base, other, { confidence: 0.95 })!;
    expect(low).toBeGreaterThan(5);
    expect(low).toBeLessThan(10.4);
    expect(high).toBeGreaterThan(10.4);
    expect(high).toBeLessThan(16);
    const [back] = unpairedInterval(other, base, { confidence: 0.95 })!;
    expect(back).toBeCloseTo(-high, 0);
  });

  it('are wider the surer they are, the same each time, and a point where nothing varies', () => {
    const values = [3, 5, 4, 6, 2, 9];
    const [low, high] = pairedInterval(values, { confidence: 0.99 })!;
    const [inner, outer] = pairedInterval(values, { confidence: 0.8 })!;
    expect(low).toBeLessThan(inner);
    expect(high).toBeGreaterThan(outer);
    expect(pairedInterval(values, { confidence: 0.99 })).toEqual([low, high]);
    expect(pairedInterval([-300, -300, -300], { confidence: 0.95 })).toEqual([-300, -300]);
    expect(pairedInterval([4], { confidence: 0.95 })).toBeNull();
  });
});

describe('the number of trials', () => {
  it('that can show anything follows from the arrangements', () => {
    expect(trialsToShowAnything(1, 0.05, true)).toBe(6);
    expect(trialsToShowAnything(14, 0.05, true)).toBe(10);
    expect(trialsToShowAnything(1, 0.05, false)).toBe(4);
    expect(trialsToShowAnything(14, 0.05, false)).toBe(6);
  });

  it('that shows a difference is found by the test four times of five', () => {
    const one = { metrics: 1, alpha: 0.05 };
    for (const effect of [0.8, 1.2]) {
      const trials = trialsToShow(effect, 1, { ...one, paired: true })!;
      const random = randomStream(11);
      let found = 0;
      for (let round = 0; round < 200; round++)
        if (signFlipTest(Array.from({ length: trials }, () => effect + gaussian(random))).p <= 0.05) found++;
      expect(found / 200, `${trials} trials`).toBeGreaterThan(0.72);
      expect(found / 200, `${trials} trials`).toBeLessThan(0.9);
    }
    const trials = trialsToShow(1.5, 1, { ...one, paired: false })!;
    const random = randomStream(12);
    const draw = (middle: number) => Array.from({ length: trials }, () => middle + gaussian(random));
    let found = 0;
    for (let round = 0; round < 200; round++) if (labelTest(draw(0), draw(1.5)).p <= 0.05) found++;
    expect(found / 200).toBeGreaterThan(0.72);
    expect(found / 200).toBeLessThan(0.9);
  });

  it('is never less than what can show anything, nor more than anybody would wait for', () => {
    expect(trialsToShow(100, 0, { metrics: 14, alpha: 0.05, paired: true })).toBe(10);
    expect(trialsToShow(1, 1e6, { metrics: 1, alpha: 0.05, paired: true })).toBe(MOST_TRIALS);
    expect(trialsToShow(0, 1, { metrics: 1, alpha: 0.05, paired: true })).toBeNull();
  });
});
