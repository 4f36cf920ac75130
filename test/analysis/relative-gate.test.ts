/** Gates on a baseline: what decides with one trial, with several, and what is never decided by noise. */
import { describe, expect, it } from 'vitest';
import { evaluateGates } from '../../src/analysis/evaluate-gates.js';
import type { GateNumbers } from '../../src/analysis/observe-metric.js';
import { labelTest, smallestPOf } from '../../src/analysis/permutation.js';
import { randomStream } from '../../src/traffic/random.js';
import { measuredNumbers } from '../helpers/trials.js';

/** A trial with this p99 in ms, and this many of 3000 requests dropped. */
function trial(p99: number, dropped = 0): GateNumbers {
  const whole = measuredNumbers();
  return {
    ...whole,
    requests: { ...whole.requests, dropped, completed: 3000 - dropped },
    latency: { ...whole.latency, response: { ...whole.latency.response, p99 } },
  };
}

function evaluated(gate: string, run: GateNumbers[], baseline: GateNumbers[]) {
  return evaluateGates([gate], { ...run[0], perTrial: run }, baseline).gates[0];
}

const trials = (...values: number[]) => values.map((value) => trial(value));

describe('with one trial on each side the numbers are compared', () => {
  it.each([
    ['latency.response.p99 <= baseline', 100, 100, true],
    ['latency.response.p99 <= baseline', 100.1, 100, false],
    ['latency.response.p99 < baseline', 100, 100, false],
    ['latency.response.p99 <= baseline + 10%', 110, 100, true],
    ['latency.response.p99 <= baseline + 10%', 110.1, 100, false],
    ['latency.response.p99 <= baseline + 5ms', 105, 100, true],
    ['latency.response.p99 <= baseline + 5ms', 105.1, 100, false],
    ['latency.response.p99 <= baseline - 20%', 80, 100, true],
    ['latency.response.p99 >= baseline - 20%', 79.9, 100, false],
    ['latency.response.p99 == baseline', 100, 100, true],
    ['latency.response.p99 == baseline', 99, 100, false],
  ])('%s, %d against %d', (gate, now, then, pass) => {
    const result = evaluated(gate, [trial(now)], [trial(then)]);
    expect(result).toMatchObject({
      gate,
      observed: now,
      pass,
      baseline: { value: then, trials: { run: 1, baseline: 1 } },
    });
    expect(result.baseline).not.toHaveProperty('p');
  });

  it('tells the bound', () => {
    const { baseline } = evaluated('latency.response.p99 <= baseline + 10%', [trial(1)], [trial(200)]);
    expect(baseline).toMatchObject({ value: 200, bound: 220 });
  });
});

describe('with several trials', () => {
  it('the means over trials are held, so that three trials can be held against five', () => {
    const run = [trial(1, 9), trial(1, 10), trial(1, 11)];
    const baseline = [10, 10, 10, 10, 10].map((dropped) => trial(1, dropped));
    expect(evaluated('dropped <= baseline', run, baseline)).toMatchObject({
      observed: 10,
      pass: true,
      baseline: { value: 10, bound: 10, trials: { run: 3, baseline: 5 } },
    });
  });

  it('a mean beyond the bound fails when chance would hardly bring it about', () => {
    const result = evaluated('latency.response.p99 <= baseline + 10%', trials(130, 140, 135), trials(100, 102, 98));
    expect(result).toMatchObject({ pass: false, baseline: { p: 0.05 } });
  });

  it('a mean beyond the bound passes when the trials overlap', () => {
    const result = evaluated('latency.response.p99 <= baseline', trials(100, 118, 101), trials(99, 117, 100));
    expect(result).toMatchObject({
      pass: true,
      observed: expect.closeTo(106.333, 3),
      baseline: { value: expect.closeTo(105.333, 3) },
    });
    expect(result.baseline!.p).toBeGreaterThan(0.05);
  });

  it('a difference that is there but within the margin passes', () => {
    const result = evaluated('latency.response.p99 <= baseline + 20%', trials(110, 111, 112), trials(100, 101, 102));
    expect(result.pass).toBe(true);
  });

  it('a lower bound is tested on the other side', () => {
    const fewer = [70, 71, 72].map((sold) => ({ ...trial(1), tickets: { sold } }));
    const more = [90, 91, 92].map((sold) => ({ ...trial(1), tickets: { sold } }));
    expect(evaluated('tickets.sold >= baseline - 10%', fewer, more).pass).toBe(false);
    expect(evaluated('tickets.sold >= baseline - 10%', more, fewer).pass).toBe(true);
  });

  it('trials too few for a test are compared plainly, or the gate could never fail', () => {
    const result = evaluated('latency.response.p99 <= baseline', trials(200, 210), trials(100, 101));
    expect(result.pass).toBe(false);
    expect(result.baseline).not.toHaveProperty('p');
  });
});

describe('what one side did not measure fails', () => {
  it.each(['ports.nowhere.peak <= baseline', 'attack.mallory.held <= baseline'])('%s', (gate) => {
    expect(evaluated(gate, [trial(1)], [trial(1)])).toMatchObject({
      observed: null,
      pass: false,
      baseline: { value: null },
    });
  });

  it('in the baseline alone', () => {
    const nothing = { ...trial(1), tickets: undefined };
    expect(evaluated('tickets.sold >= baseline', [trial(1)], [nothing])).toMatchObject({
      observed: 1000,
      pass: false,
      baseline: { value: null, bound: null },
    });
  });

  it('in one trial of several', () => {
    const run = [trial(1), trial(1), { ...trial(1), tickets: undefined }];
    expect(evaluated('tickets.sold >= baseline', run, [trial(1)])).toMatchObject({ observed: null, pass: false });
  });
});

describe('the permutation test', () => {
  it.each([
    // All 20 ways to choose 3 of 6, of which one is as far.
    [[4, 5, 6], [1, 2, 3], 'above', 1 / 20],
    [[4, 5, 6], [1, 2, 3], 'below', 1],
    [[4, 5, 6], [1, 2, 3], 'either', 2 / 20],
    // Sums of 2 of 5 that reach 8: 3 + 5 and 4 + 5.
    [[3, 5], [1, 2, 4], 'above', 2 / 10],
    [[1, 1, 1], [1, 1, 1], 'above', 1],
    // The 8 ways to one of each, whose sum is the mean, and the 6 above.
    [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], 'above', 14 / 20],
  ] as const)('of %j against %j, %s, is %d', (run, bound, side, p) => {
    expect(labelTest(run, bound, { side }).p).toBeCloseTo(p, 12);
  });

  it('knows the smallest p that so many trials can give', () => {
    expect(smallestPOf([2, 2], false, 'above')).toBe(1 / 6);
    expect(smallestPOf([3, 3], false, 'above')).toBe(1 / 20);
    expect(smallestPOf([3, 3], false, 'either')).toBe(2 / 20);
    expect(smallestPOf([2, 6], false, 'either')).toBe(1 / 28);
  });

  it('of many trials is near the exact one', () => {
    const [low, high] = [0, 10].map((first) => Array.from({ length: 12 }, (_, index) => first + index));
    expect(labelTest(high, low, { side: 'above' }).p).toBeLessThan(0.001);
    expect(labelTest(low, low, { side: 'above' }).p).toBeGreaterThan(0.4);
  });

  // 1000 runs whose true mean is the bound: at 5 % between 28 and 72 may fail by chance (five standard deviations either way: 15 and 85).
  it('fails a gate whose bound is kept in at most 5 of 100 runs', () => {
    const random = randomStream(7);
    let failed = 0;
    for (let run = 0; run < 1000; run++) {
      const draw = (scale: number) =>
        trials(...Array.from({ length: 5 }, () => scale * (100 - 20 * Math.log(1 - random.next()))));
      if (!evaluated('latency.response.p99 <= baseline + 10%', draw(1.1), draw(1)).pass) failed++;
    }
    expect(failed).toBeLessThan(85);
    expect(failed).toBeGreaterThan(15);
  });
});
