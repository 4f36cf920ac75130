import { expect, test } from 'vitest';
import { cpuSince, lateness, threadCpu } from '../../src/traffic/generator-report.js';

test('lateness is actual minus planned time by nearest rank; what was never sent does not count', () => {
  const due = Float64Array.from({ length: 101 }, (_, index) => index * 1e6);
  const sent = due.map((ns, index) => ns + (index + 1) * 1e6);
  sent[100] = Number.NaN;
  expect(lateness(due, sent, 101)).toEqual({ lateP50Ms: 50, lateP99Ms: 99, lateMaxMs: 100 });
});

test('lateness looks at the given rows only', () => {
  const due = new Float64Array([0, 0, 0]);
  const sent = new Float64Array([1e6, 2e6, 900e6]);
  expect(lateness(due, sent, 2).lateMaxMs).toBe(2);
});

test('nothing sent is not late', () => {
  expect(lateness(new Float64Array([0]), new Float64Array([Number.NaN]), 1).lateMaxMs).toBe(0);
});

test('CPU time grows with work, and is user plus system', () => {
  const before = threadCpu();
  let used = cpuSince(before);
  for (let work = 0; used.cpuSeconds < 0.01; work++) {
    Math.sqrt(work);
    if (work % 100_000 === 0) used = cpuSince(before);
  }
  expect(used.cpuSeconds).toBeCloseTo(used.userSeconds + used.systemSeconds, 9);
  expect(used.userSeconds).toBeGreaterThan(0);
});
