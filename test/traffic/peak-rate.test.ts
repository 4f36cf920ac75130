import { describe, expect, it } from 'vitest';
import { peakConnectionRate } from '../../src/traffic/peak-rate.js';
import { arrivalTimes } from '../../src/traffic/schedule.js';

const step = { name: 'view', method: 'GET', path: '/', body: '' } as const;
const arrivals = (...phases: [forMs: number, rate: number][]) =>
  arrivalTimes(
    phases.map(([forMs, rate]) => ({ forMs, rate: { from: rate, to: rate } })),
    'uniform',
    1,
  );
const peak = (arrivalsNs: Float64Array, changes: Partial<Parameters<typeof peakConnectionRate>[0]> = {}) =>
  peakConnectionRate({ arrivalsNs, connections: { mode: 'per-request' }, steps: [step], thinkTimeMs: 0, ...changes });

describe('the highest planned rate of new connections', () => {
  it('is the rate itself where it is steady, and that of its highest phase', () => {
    expect(peak(arrivals([2000, 5000]))).toBe(5000);
    expect(peak(arrivals([1000, 100], [500, 8000], [1000, 100]))).toBeCloseTo(8000, -2);
  });

  it('sees a burst of a tenth of a second whole, and a shorter one by what it asks of a tenth', () => {
    expect(peak(arrivals([1000, 10], [100, 20_000], [1000, 10]))).toBeCloseTo(20_000, -2);
    expect(peak(arrivals([1000, 10], [50, 20_000], [1000, 10]))).toBeCloseTo(10_000, -2);
  });

  it('counts every step where each opens a connection, a think time apart, and visitors alone where they keep theirs', () => {
    const visitors = arrivals([1000, 1000]);
    const three = { steps: [step, step, step], thinkTimeMs: 200 };
    expect(peak(visitors, three)).toBe(3000);
    expect(peak(visitors, { ...three, thinkTimeMs: 5000 })).toBe(1000);
    expect(peak(visitors, { ...three, connections: { mode: 'per-visitor' } })).toBe(1000);
  });

  it('is 0 where nothing is planned', () => {
    expect(peak(new Float64Array())).toBe(0);
  });
});
