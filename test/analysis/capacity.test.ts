/** What a search for capacity holds its trials against, and what it concludes. */
import { describe, expect, it } from 'vitest';
import { curveOf, kneeOf, saturationOf } from '../../src/analysis/capacity-curve.js';
import { capacityGates } from '../../src/analysis/capacity-gates.js';
import type { Bracket } from '../../src/analysis/capacity-search.js';
import { capacityVerdict, latenessNotes } from '../../src/analysis/capacity-verdict.js';
import { capacityTrial } from '../helpers/capacity.js';

describe('the gates of a search', () => {
  it('are those that more load can only break', () => {
    const kept = [
      'dropped == 0',
      'latency.response.p99 < 250ms',
      'ports.edge.peak < 80%',
      'delayed <= 3',
      'droppedShare < 1%',
    ];
    expect(capacityGates(kept, 'rate')).toEqual({ gates: kept, leftOut: [] });
  });

  it('leave out what demands losses or load, or counts one burst', () => {
    const { gates, leftOut } = capacityGates(
      [
        'dropped.ports-exhausted@edge > 0',
        'dropped.ports-exhausted@edge == 300',
        'throughput >= 900/s',
        'tickets.sold == 5000',
        'ports.edge.peak > 80%',
        'dropped < 10',
      ],
      'rate',
    );
    expect(gates).toEqual(['dropped < 10']);
    expect(leftOut.map(({ why }) => why)).toEqual([
      'it asks for losses',
      'it asks for losses',
      'it asks for load',
      "it counts the scenario's own burst",
      'it asks for load',
    ]);
  });

  it('always bound the losses: who lost everybody else is no faster', () => {
    expect(capacityGates([], 'rate').gates).toEqual(['droppedShare < 0.5%']);
    expect(capacityGates([], 'connections').gates).toEqual(['dropped == 0']);
    expect(capacityGates(['dropped.unattributed == 0', 'latency.response.p99 < 1s'], 'visitors').gates).toEqual([
      'droppedShare < 0.5%',
      'dropped.unattributed == 0',
      'latency.response.p99 < 1s',
    ]);
  });
});

describe('the verdict', () => {
  const bracket = (changes: Partial<Bracket> = {}): Bracket => ({
    ...{ passes: 980, failsAt: 990, failsAs: 'fail', isSure: true },
    ...changes,
  });
  const verdict = (...args: Parameters<typeof capacityVerdict>) => capacityVerdict(...args).verdict;

  it('is that of the need, where there is one', () => {
    expect(verdict(bracket(), 'resolved', 980)).toBe('pass');
    expect(verdict(bracket(), 'resolved', 985)).toBe('fail');
    expect(verdict(bracket(), 'resolved', 1200)).toBe('fail');
    expect(verdict(bracket(), 'resolved', null)).toBe('none');
    expect(capacityVerdict(bracket(), 'resolved', 900).headroom).toBeCloseTo(0.0889, 4);
  });

  it('of a search that ended early is only what is known', () => {
    const early = bracket({ passes: 800, failsAt: 1600, isSure: false });
    expect(verdict(early, 'budget', 700)).toBe('pass');
    expect(verdict(early, 'budget', 1000)).toBe('invalid');
    expect(verdict(early, 'budget', 1600)).toBe('fail');
    expect(verdict(early, undefined, 1000)).toBe('none');
  });

  it('of a generator at its limit never blames the chain', () => {
    const own = bracket({ failsAs: 'invalid' });
    expect(capacityVerdict(own, 'resolved', 1200)).toMatchObject({
      capacity: 980,
      isAtLeast: true,
      verdict: 'invalid',
    });
    expect(verdict(bracket({ passes: undefined, failsAs: 'invalid' }), 'none-passes', null)).toBe('invalid');
  });

  it('is fail where no level passes, and nothing counts as sure before its end', () => {
    expect(capacityVerdict(bracket({ passes: undefined }), 'none-passes', null)).toMatchObject({
      capacity: null,
      verdict: 'fail',
    });
    expect(capacityVerdict(bracket(), 'budget', null).isSure).toBe(false);
  });
});

it('a failure of which the generator may be guilty is told as one', () => {
  const late = { ...capacityTrial(1).generator, lateP99Ms: 105 };
  expect(latenessNotes([capacityTrial(1, { generator: late }), capacityTrial(2, { outcome: 'fail' })])).toEqual([]);
  const [note] = latenessNotes([capacityTrial(2, { outcome: 'fail', generator: late })]);
  expect(note).toContain('in 1 of 1 trials that failed the generator was late, up to 105 ms');
});

describe('the curve', () => {
  it('shows per level a trial that says what most of its trials say', () => {
    const curve = curveOf([
      capacityTrial(200, { trial: 1, outcome: 'fail' }),
      capacityTrial(100, { trial: 2 }),
      capacityTrial(200, { trial: 3 }),
      capacityTrial(200, { trial: 4 }),
    ]);
    expect(curve.map(({ level, trials, shown }) => [level, trials.length, shown.trial])).toEqual([
      [100, 1, 2],
      [200, 3, 4],
    ]);
  });

  it('has its knee before the p99 leaves its ground', () => {
    const at = (p99s: number[]) => kneeOf(curveOf(p99s.map((p99, index) => capacityTrial(index + 1, {}, p99))));
    expect(at([4, 5, 8, 12, 1040])).toBe(3);
    expect(at([4, 5, 8])).toBeNull();
    expect(at([])).toBeNull();
  });

  it('is saturated where it fails: what completes there is all that the chain gives', () => {
    const at = (level: number, completedPerSecond: number, outcome: 'pass' | 'fail') =>
      capacityTrial(level, { throughput: { completedPerSecond }, outcome });
    expect(saturationOf(curveOf([at(900, 900, 'pass'), at(1200, 997, 'fail'), at(1800, 998, 'fail')]))).toBe(998);
    expect(saturationOf(curveOf([at(900, 900, 'pass')]))).toBeNull();
  });
});
