/** Warnings come in time, once, and go once; counting is paid for from a budget. */
import { describe, expect, it } from 'vitest';
import { alarms } from '../../src/watch/alarms.js';
import { cpuBudget } from '../../src/watch/budget.js';
import { judgeFilling, lossWatch } from '../../src/watch/conditions.js';

const LINES = { at: 0.8, withinSeconds: 60 };

describe('a pool that fills', () => {
  const judged = (share: number, secondsUntilFull: number | null) => judgeFilling({ share, secondsUntilFull }, LINES);

  it('is warned of from the line on, or when a quarter is gone and the rest will be within a minute', () => {
    expect(judged(0.8, null).raise).toBe(true);
    expect(judged(0.79, null).raise).toBe(false);
    expect(judged(0.3, 59).raise).toBe(true);
    expect(judged(0.3, 61).raise).toBe(false);
    expect(judged(0.1, 5).raise).toBe(false);
  });

  it('stays warned of until it is clearly below both lines', () => {
    expect(judged(0.75, null).clear).toBe(false);
    expect(judged(0.69, 90).clear).toBe(false);
    expect(judged(0.69, 121).clear).toBe(true);
    expect(judged(0.69, null).clear).toBe(true);
  });
});

describe('warnings', () => {
  const at = (share: number) => ({
    key: 'pool',
    ...judgeFilling({ share, secondsUntilFull: null }, LINES),
    text: () => `${share}`,
  });

  it('are told once while the value sways around the line, and once when it is over', () => {
    const { judge, standing } = alarms();
    const kinds = [0.5, 0.81, 0.79, 0.82, 0.75, 0.6, 0.6].map((share) => judge([at(share)]).map(({ kind }) => kind));
    expect(kinds).toEqual([[], ['raised'], [], [], [], ['cleared'], []]);
    expect(standing()).toEqual([]);
  });

  it('stand with their newest text, and end when what they are about is gone', () => {
    const { judge, standing } = alarms();
    judge([at(0.81)]);
    judge([at(0.9)]);
    expect(standing()).toEqual(['0.9']);
    expect(judge([])).toEqual([{ key: 'pool', kind: 'cleared', text: '0.9' }]);
  });

  it('of losses begin with a rise of the counter, not with its first value, and end after a minute without one', () => {
    const losses = lossWatch('losses');
    const judged = (total: number, seconds: number) => {
      const { raise, clear } = losses(total, seconds, () => '');
      return { raise, clear };
    };
    expect(judged(500, 0).raise).toBe(false);
    expect(judged(501, 1)).toEqual({ raise: true, clear: false });
    expect(judged(501, 60)).toEqual({ raise: false, clear: false });
    expect(judged(501, 61)).toEqual({ raise: false, clear: true });
  });
});

describe('the budget', () => {
  /** CPU used in `seconds`, when a count of `costMs` is made as often as allowed, once a second at most. */
  function spend(costMs: number, seconds: number, urgent: boolean): number {
    const budget = cpuBudget(0.004);
    let used = 0;
    let last = Number.NEGATIVE_INFINITY;
    for (let second = 0; second < seconds; second++) {
      const now = budget.affords(costMs, (second - last) * 1000, urgent);
      budget.book(1000, now ? costMs : 0);
      if (!now) continue;
      used += costMs;
      last = second;
    }
    return used;
  }

  it('lets a cheap count be made every second', () => {
    expect(spend(1, 3600, false)).toBe(3600);
  });

  it('holds the share over an hour, however dear a count is and however urgent', () => {
    for (const costMs of [20, 80, 300])
      for (const urgent of [false, true]) expect(spend(costMs, 3600, urgent) / 3_600_000).toBeLessThan(0.005);
  });

  it('keeps a reserve for what is urgent: ten counts of 80 ms in ten seconds after an hour of others', () => {
    const budget = cpuBudget(0.004);
    for (let second = 0; second < 3600; second++) budget.book(1000, budget.affords(80, 10_000, false) ? 80 : 0);
    let counts = 0;
    for (let second = 0; second < 10; second++) {
      const now = budget.affords(80, 1000, true);
      budget.book(1000, now ? 80 : 0);
      counts += now ? 1 : 0;
    }
    expect(counts).toBeGreaterThanOrEqual(9);
  });
});
