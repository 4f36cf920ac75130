import { expect, test } from 'vitest';
import { randomStream, splitMix64, xoshiro128 } from '../../src/traffic/random.js';

test('xoshiro128** gives the reference values for the state 1, 2, 3, 4', () => {
  const stream = xoshiro128(1, 2, 3, 4);
  const expected = [
    11520, 0, 5927040, 70819200, 2031721883, 1637235492, 1287239034, 3734860849, 3729100597, 4258142804,
  ];
  expect(expected.map(() => stream.next32())).toEqual(expected);
});

test('SplitMix64 gives the reference values for the seed 1234567', () => {
  const word = splitMix64(1234567n);
  expect([word(), word(), word()]).toEqual([6457827717110365317n, 3203168211198807973n, 9817491932198370423n]);
});

test('a stream lies in [0, 1), is even in mean and spread, and each seed has its own', () => {
  const stream = randomStream(0);
  const values = Array.from({ length: 100_000 }, () => stream.next());
  expect(Math.min(...values.slice(0, 50_000))).toBeGreaterThanOrEqual(0);
  expect(Math.max(...values.slice(0, 50_000))).toBeLessThan(1);
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(1 / 2, 2);
  expect(variance).toBeCloseTo(1 / 12, 2);
  expect(randomStream(1).next()).not.toBe(randomStream(2).next());
});
