import { expect, test } from 'vitest';
import type { ArrivalPhase } from '../../src/scenario/scenario.js';
import { arrivalTimes } from '../../src/traffic/schedule.js';

const phase = (forMs: number, from: number, to = from): ArrivalPhase => ({ forMs, rate: { from, to } });
const between = (times: Float64Array, fromNs: number, toNs: number) =>
  times.filter((time) => time >= fromNs && time < toNs).length;

test.each([
  [1000, 3000, 3000],
  [50, 2000, 100],
  [600, 4000, 2400],
  [7, 1000, 7],
  [0.5, 2000, 1],
  [0, 2000, 0],
])('uniform: %d/s for %d ms is exactly %d visitors', (rate, forMs, visitors) => {
  expect(arrivalTimes([phase(forMs, rate)], 'uniform', 1)).toHaveLength(visitors);
});

test('uniform: a count that is no whole number is rounded, half up', () => {
  expect(arrivalTimes([phase(1000, 2.4)], 'uniform', 1)).toHaveLength(2);
  expect(arrivalTimes([phase(1000, 2.5)], 'uniform', 1)).toHaveLength(3);
});

test('uniform: many short phases lose no visitor to rounding errors', () => {
  const phases = Array.from({ length: 3000 }, () => phase(100, 10.1));
  expect(arrivalTimes(phases, 'uniform', 1)).toHaveLength(3030);
});

test('uniform: visitors are evenly spaced, the first at 0, the last one gap before the end', () => {
  expect([...arrivalTimes([phase(100, 50)], 'uniform', 1)]).toEqual([0, 20e6, 40e6, 60e6, 80e6]);
});

test('uniform: each phase holds exactly its own visitors; a boundary belongs to the phase that begins', () => {
  const times = arrivalTimes([phase(2000, 50), phase(2000, 50, 600), phase(4000, 600)], 'uniform', 1);
  expect(between(times, 0, 2e9)).toBe(100);
  expect(between(times, 2e9, 4e9)).toBe(650);
  expect(between(times, 4e9, 8e9)).toBe(2400);
  expect(times).toHaveLength(3150);
  expect(times[100]).toBe(2e9);
});

test('uniform: a pause passes without visitors', () => {
  const times = arrivalTimes([phase(1000, 10), phase(5000, 0), phase(1000, 10)], 'uniform', 1);
  expect(times[9]).toBe(0.9e9);
  expect(times[10]).toBe(6e9);
});

test('uniform: a ramp from 0 to r brings its k-th visitor at T·sqrt(k/n)', () => {
  const times = arrivalTimes([phase(2000, 0, 100)], 'uniform', 1);
  expect(times).toHaveLength(100);
  for (const k of [1, 25, 50, 99]) expect(times[k]).toBeCloseTo(2e9 * Math.sqrt(k / 100), -1);
});

test('uniform: a falling ramp is the mirror image of the rising one', () => {
  const falling = arrivalTimes([phase(2000, 100, 0)], 'uniform', 1);
  const rising = arrivalTimes([phase(2000, 0, 100)], 'uniform', 1);
  for (const k of [1, 10, 60, 99]) expect(2e9 - falling[k]).toBeCloseTo(rising[100 - k], -1);
});

test('poisson: the first arrivals of seed 1 never change', () => {
  expect([...arrivalTimes([phase(60_000, 100)], 'poisson', 1).subarray(0, 5)]).toEqual([
    5019856, 6618611, 8444429, 29610716, 40563009,
  ]);
});

test('poisson: the same seed gives the same arrivals, another seed gives others', () => {
  const phases = [phase(1000, 100), phase(1000, 100, 500)];
  expect(arrivalTimes(phases, 'poisson', 7)).toEqual(arrivalTimes(phases, 'poisson', 7));
  expect(arrivalTimes(phases, 'poisson', 8)).not.toEqual(arrivalTimes(phases, 'poisson', 7));
});

test('poisson: times are whole, sorted, and inside the schedule', () => {
  const times = arrivalTimes([phase(1000, 0, 5000), phase(1000, 5000, 0)], 'poisson', 3);
  expect(times.length).toBeGreaterThan(4500);
  expect(times.every(Number.isInteger)).toBe(true);
  expect(times.every((time, index) => index === 0 || time >= times[index - 1])).toBe(true);
  expect(times[0]).toBeGreaterThanOrEqual(0);
  expect(times.at(-1)).toBeLessThan(2e9);
});

test('poisson: the number of visitors has mean and variance of the expected number', () => {
  const counts = Array.from(
    { length: 2000 },
    (_, seed) => arrivalTimes([phase(1000, 50, 150)], 'poisson', seed).length,
  );
  const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length;
  // Four standard errors: sqrt(100 / 2000) of the mean, about 100 * sqrt(2 / 2000) of the variance.
  expect(Math.abs(mean - 100)).toBeLessThan(0.9);
  expect(Math.abs(variance - 100)).toBeLessThan(12.7);
});

test('poisson: gaps at a constant rate are exponential: mean and standard deviation are both 1/rate', () => {
  const times = arrivalTimes([phase(100_000, 1000)], 'poisson', 11);
  const gaps = Array.from(times.subarray(1), (time, index) => (time - times[index]) / 1e6);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
  expect(mean).toBeCloseTo(1, 1);
  expect(deviation).toBeCloseTo(1, 1);
});

test('poisson: a ramp puts a quarter of its visitors into its first half', () => {
  const times = arrivalTimes([phase(10_000, 0, 10_000)], 'poisson', 5);
  expect(between(times, 0, 5e9) / times.length).toBeCloseTo(0.25, 1);
});

test('a mixture of rates and connections is refused', () => {
  expect(() => arrivalTimes([phase(1000, 1), { forMs: 1000, connections: 5 }], 'uniform', 1)).toThrow(/mix/);
});

test('more visitors than fit are refused before any memory is taken', () => {
  expect(() => arrivalTimes([phase(3_600_000, 1e6)], 'uniform', 1)).toThrow(/3600000000 visitors/);
});
