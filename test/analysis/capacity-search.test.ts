/** The search finds what a chain carries, whatever a lucky or an unlucky trial says, and it always ends. */
import { describe, expect, it } from 'vitest';
import {
  nextStep,
  type ProbeOutcome,
  type ProbeResult,
  type SearchSettings,
  type SearchStep,
} from '../../src/analysis/capacity-search.js';
import { randomStream } from '../../src/traffic/random.js';

const SETTINGS: SearchSettings = {
  from: 100,
  upTo: undefined,
  least: 1,
  isWhole: false,
  resolution: 0.01,
  repeat: 3,
  maxTrials: 100,
  budgetMs: Number.POSITIVE_INFINITY,
};

/** Searches a chain that is a function of the level. */
function search(chain: (level: number, trial: number) => ProbeOutcome, changes: Partial<SearchSettings> = {}) {
  const settings = { ...SETTINGS, ...changes };
  const results: ProbeResult[] = [];
  const steps: SearchStep[] = [];
  for (;;) {
    const step = nextStep(results, settings);
    steps.push(step);
    if (step.do === 'end') return { ...step, results, steps };
    results.push({ level: step.level, outcome: chain(step.level, results.length), tookMs: 1000 });
  }
}

const upTo = (capacity: number) => (level: number) => (level <= capacity ? 'pass' : 'fail') as ProbeOutcome;

describe('a chain without noise', () => {
  for (const capacity of [1.5, 99, 100, 101, 817, 998, 1000, 64_512])
    it(`of ${capacity}/s is found to one percent below it, never above`, () => {
      const { end, bracket } = search(upTo(capacity));
      expect(end).toBe('resolved');
      expect(bracket).toMatchObject({ failsAs: 'fail', isSure: true });
      expect(bracket.passes!).toBeLessThanOrEqual(capacity);
      expect(bracket.failsAt!).toBeGreaterThan(capacity);
      expect(bracket.failsAt! - bracket.passes!).toBeLessThanOrEqual(bracket.passes! * 0.01 * 1.001);
    });

  it('that holds whole connections is found to the last one', () => {
    const { bracket } = search(upTo(64), { isWhole: true, from: 10 });
    expect(bracket).toMatchObject({ passes: 64, failsAt: 65 });
  });

  it('is tried twice at least on the side that passes, even with one trial a level', () => {
    const { bracket, results } = search(upTo(500), { repeat: 1 });
    expect(results.filter(({ level }) => level === bracket.passes).length).toBeGreaterThanOrEqual(2);
  });

  it('counts down what is left, and is right about it once the bracket is known', () => {
    const { steps } = search(upTo(1000));
    const closing = steps.filter((step) => step.do === 'probe' && !step.left.isAtLeast);
    closing.forEach((step, index) => {
      expect(step.do === 'probe' && step.left.trials).toBe(closing.length - index);
    });
  });
});

describe('a noisy chain', () => {
  /** Now and then a trial is unlucky below the capacity, or lucky just above it. */
  const noisy = (seed: number, capacity: number, share: number) => {
    const random = randomStream(seed);
    return (level: number): ProbeOutcome => {
      const holds = level <= capacity;
      const isOdd = random.next() < share && level < capacity * 1.05;
      return holds !== isOdd ? 'pass' : 'fail';
    };
  };

  for (const [share, repeat] of [
    [0.05, 3],
    [0.1, 5],
  ])
    it(`of which ${share * 100}% of the trials mislead is found within 2% by 19 of 20 searches of ${repeat} trials a level`, () => {
      const searches = Array.from({ length: 200 }, (_, seed) => search(noisy(seed, 1000, share), { repeat }));
      const close = searches.filter(({ bracket }) => Math.abs((bracket.passes ?? 0) / 1000 - 1) <= 0.02);
      expect(close.length).toBeGreaterThanOrEqual(190);
      expect(searches.every(({ end, bracket }) => end === 'resolved' && bracket.isSure)).toBe(true);
    });

  it('steps down when the validation fails', () => {
    let lucky = true;
    const { bracket } = search((level) => {
      if (level <= 700) return 'pass';
      if (level > 800 || !lucky) return 'fail';
      lucky = false;
      return 'pass';
    });
    expect(bracket.passes! / 700).toBeGreaterThan(0.99);
    expect(bracket.passes!).toBeLessThanOrEqual(700);
  });

  it('takes an unlucky failure back', () => {
    let unlucky = true;
    const { bracket } = search((level) => {
      if (level > 1000) return 'fail';
      if (level === 400 && unlucky) {
        unlucky = false;
        return 'fail';
      }
      return 'pass';
    });
    expect(bracket.passes! / 1000).toBeGreaterThan(0.98);
  });
});

describe('a harness at its own limit', () => {
  it('is told from a failing chain', () => {
    const { bracket, end } = search((level) => (level <= 3000 ? 'pass' : 'invalid'));
    expect(end).toBe('resolved');
    expect(bracket.failsAs).toBe('invalid');
    expect(bracket.passes! / 3000).toBeGreaterThan(0.99);
  });

  it('is no limit where it was busy once', () => {
    const { bracket } = search((level, trial) => (trial === 3 ? 'invalid' : upTo(3000)(level)));
    expect(bracket.failsAs).toBe('fail');
    expect(bracket.passes! / 3000).toBeGreaterThan(0.99);
  });
});

describe('a search', () => {
  it('ends at the highest level that may be tried, and says so', () => {
    const { end, bracket } = search(upTo(1e9), { upTo: 1000 });
    expect({ end, passes: bracket.passes, failsAt: bracket.failsAt }).toEqual({
      end: 'up-to',
      passes: 1000,
      failsAt: undefined,
    });
  });

  it('ends where nothing passes', () => {
    expect(search(() => 'fail')).toMatchObject({ end: 'none-passes', bracket: { passes: undefined, isSure: true } });
  });

  it('ends with what is known when the trials are used up', () => {
    const { end, bracket, results } = search(upTo(1000), { maxTrials: 6 });
    expect(results.length).toBe(6);
    expect({ end, passes: bracket.passes, failsAt: bracket.failsAt }).toEqual({
      end: 'trials',
      passes: 800,
      failsAt: 1200,
    });
  });

  it('begins no trial that would end after its time', () => {
    const { end, results } = search(upTo(1000), { budgetMs: 4500 });
    expect({ end, trials: results.length }).toEqual({ end: 'budget', trials: 4 });
  });

  it('ends whatever the chain says', () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = randomStream(seed);
      const { end } = search(() => (['pass', 'fail', 'invalid'] as const)[Math.floor(random.next() * 3)]);
      expect(['resolved', 'none-passes', 'trials']).toContain(end);
    }
  });
});
