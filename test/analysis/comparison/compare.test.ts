/** What is compared with what, what is refused or marked by its name, and verdicts on trials made by hand. */
import { describe, expect, it } from 'vitest';
import { type CompareOptions, compareRuns } from '../../../src/analysis/comparison/compare.js';
import { PortPartyError } from '../../../src/errors.js';
import type { Measured, RunRecord, VariantRecord } from '../../../src/record/run-record.js';
import { measuredNumbers, punctual, runRecord } from '../../helpers/trials.js';

/** A variant with a trial for each of these. */
function variant(name: string, trials: Partial<Measured>[]): VariantRecord {
  const perTrial = trials.map((changes, index) => ({ trial: index + 1, ...measuredNumbers(changes) }));
  return { name, trials: trials.length, ...(perTrial[0] ?? measuredNumbers()), gates: [], perTrial };
}

/** Numbers of a trial in which so many requests were lost at the gateway. */
function lost(count: number): Partial<Measured> {
  const byCause = count === 0 ? [] : [{ cause: 'ports-exhausted' as const, at: 'edge', count, evidence: [] }];
  return { requests: { due: 3000, completed: 3000 - count, dropped: count, attempts: 3000, byCause, delayed: [] } };
}

const losing = (trials: number) => Array.from({ length: trials }, (_, index) => lost(300 + index));
const keeping = (trials: number) => Array.from({ length: trials }, () => lost(0));
const run = (trials: number) => runRecord([variant('as-shipped', losing(trials)), variant('wider', keeping(trials))]);
const metricOf = (name: string, base: RunRecord, other?: RunRecord, options?: CompareOptions) =>
  compareRuns(base, other, options).pairs[0].metrics.find(({ metric }) => metric === name)!;

function refusal(base: RunRecord, other?: RunRecord, options?: CompareOptions): string {
  try {
    compareRuns(base, other, options);
  } catch (error) {
    expect(error).toBeInstanceOf(PortPartyError);
    const { exitCode, where, message, hint } = error as PortPartyError;
    expect(exitCode).toBe(2);
    return [where, message, hint].join(' | ');
  }
  throw new Error('it was not refused');
}

describe('the variants of a run', () => {
  it('are compared with the first one, trial by trial', () => {
    const { pairs, metricsTested } = compareRuns(run(10), undefined);
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({
      base: { variant: 'as-shipped' },
      other: { variant: 'wider' },
      paired: true,
      trials: { base: 10, other: 10 },
      dropped: { base: 3045, other: 0 },
      exact: true,
    });
    // dropped, its share, its cause, completed: everything else was the same in all trials and takes no part.
    expect(metricsTested).toBe(4);
    expect(metricOf('dropped', run(10))).toMatchObject({
      unit: 'count',
      scale: 'difference',
      base: { mean: 304.5 },
      other: { mean: 0 },
      change: -304.5,
      p: 2 / 1024,
      adjustedP: 8 / 1024,
      verdict: 'better',
    });
    expect(metricOf('completed', run(10))).toMatchObject({ change: 304.5, verdict: 'better' });
    expect(metricOf('dropped.ports-exhausted@edge', run(10)).verdict).toBe('better');
    expect(metricOf('latency.response.p99', run(10)).verdict).toBe('same');
    expect(metricOf('ports.edge.peak', run(10))).toMatchObject({ unit: 'share', verdict: 'same' });
  });

  it('turn round with --base', () => {
    const worse = metricOf('dropped', run(10), undefined, { base: 'wider' });
    expect(worse).toMatchObject({ change: 304.5, verdict: 'worse' });
    expect(worse.interval![0]).toBeGreaterThan(300);
  });

  it('never win with too few trials, however far apart they are, and it says how many it takes', () => {
    for (const trials of [1, 2, 5, 7]) {
      const { pairs } = compareRuns(run(trials), undefined);
      expect(new Set(pairs[0].metrics.map(({ verdict }) => verdict))).toEqual(new Set(['too-few-trials', 'same']));
      expect(pairs[0].trialsToShowAnything).toBe(8);
    }
    expect(compareRuns(run(8), undefined).pairs[0].metrics[0].verdict).toBe('better');
    expect(metricOf('dropped', run(1))).toMatchObject({ interval: null, trialsNeeded: null, change: -300 });
    expect(metricOf('dropped', run(5)).trialsNeeded).toBe(8);
  });

  it('need fewer trials for a single metric, and more for more confidence', () => {
    expect(metricOf('dropped', run(6), undefined, { metrics: ['dropped'] }).verdict).toBe('better');
    expect(metricOf('dropped', run(6), undefined, { metrics: ['dropped'], confidence: 0.99 }).verdict).toBe(
      'too-few-trials',
    );
  });

  it('differ in latencies by a ratio', () => {
    const slow = (factor: number) =>
      Array.from({ length: 9 }, (_, index) => {
        const one = measuredNumbers().latency.response;
        return { latency: { connect: one, response: { ...one, p99: (100 + index) * factor } } };
      });
    const latency = metricOf('latency.response.p99', runRecord([variant('a', slow(1)), variant('b', slow(1.5))]));
    expect(latency).toMatchObject({ scale: 'ratio', unit: 'ms', verdict: 'worse' });
    expect(latency.change).toBeCloseTo(1.5, 9);
    expect(latency.interval![0]).toBeCloseTo(1.5, 9);
  });

  it('are not compared in what a trial did not measure', () => {
    const nothing = { ...measuredNumbers().latency.response, count: 0 };
    const trials = keeping(6).map((one, index) =>
      index === 3 ? { ...one, latency: { connect: nothing, response: nothing } } : one,
    );
    const latency = metricOf('latency.connect.p50', runRecord([variant('a', keeping(6)), variant('b', trials)]));
    expect(latency).toMatchObject({ verdict: 'not-measured', change: null, p: null, other: { mean: null } });
  });

  it('with trials of one side only count what both have', () => {
    const { pairs, marks } = compareRuns(runRecord([variant('a', losing(9)), variant('b', keeping(8))]), undefined);
    expect(pairs[0].trials).toEqual({ base: 8, other: 8 });
    expect(marks).toMatchObject([{ about: 'trials', refused: false }]);
  });

  it('may be narrowed to some metrics, by name, by their beginning, or to any that a gate knows', () => {
    const names = (...metrics: string[]) =>
      compareRuns(run(2), undefined, { metrics }).pairs[0].metrics.map((one) => one.metric);
    expect(names('latency.response')).toEqual(['p50', 'p90', 'p99', 'p999'].map((stat) => `latency.response.${stat}`));
    expect(names('dropped')).toEqual(['dropped']);
    expect(names('dropped.ports-exhausted')).toEqual(['dropped.ports-exhausted@edge']);
    expect(names('attempts', 'latency.connect.max', 'attempts')).toEqual(['attempts', 'latency.connect.max']);
    expect(refusal(run(2), undefined, { metrics: ['latency.respons.p99'] })).toContain('no latency "respons"');
  });

  it('are refused where there is nothing to compare', () => {
    expect(refusal(runRecord([variant('only', losing(3))]))).toContain('only one variant');
    expect(refusal(runRecord([]))).toContain('no variant');
    expect(refusal(run(3), undefined, { base: 'wide' })).toMatch(/no variant "wide".*as-shipped, wider/);
    expect(refusal(run(3), undefined, { variants: ['as-shipped'] })).toContain('nothing is left to compare');
    expect(refusal(run(3), undefined, { variants: ['narrow'] })).toContain('no variant "narrow"');
  });

  it('are refused when one is invalid, and marked where that is forced', () => {
    const invalid = { validity: { valid: false, reasons: ['the generator was late'] } };
    const spoilt = runRecord([variant('a', losing(3)), variant('b', [lost(0), invalid, lost(0)])]);
    expect(refusal(spoilt)).toMatch(/b of run .* is invalid: the generator was late.*--force/);
    expect(compareRuns(spoilt, undefined, { force: true }).marks).toMatchObject([{ about: 'validity', refused: true }]);
    const cut = runRecord([variant('a', losing(3)), variant('b', [])]);
    expect(refusal(cut)).toContain('no trial that ran to its end');
    const [{ metrics }] = compareRuns(cut, undefined, { force: true }).pairs;
    expect(metrics.every(({ verdict }) => verdict === 'not-measured')).toBe(true);
  });

  it('are marked when the run was cut short, or another engine or other visitors came with a variant', () => {
    const visitors = { arrived: 900, served: 900, soldOut: 0, turnedAway: 0 };
    const other = keeping(3).map((one) => ({ ...one, visitors, generator: { ...punctual, engine: 'undici' } }));
    const { marks } = compareRuns(
      runRecord([variant('a', losing(3)), variant('b', other)], { status: 'interrupted' }),
      undefined,
    );
    expect(marks.map(({ about }) => about)).toEqual(['status', 'engine', 'arrivals']);
    expect(marks.every(({ refused }) => !refused)).toBe(true);
  });
});

describe('two runs', () => {
  const first = run(9);
  const again = (changes: Partial<RunRecord> = {}) => ({
    ...run(9),
    id: '20261125T192318Z-ticket-sale-cd34',
    ...changes,
  });

  it('are compared variant by variant, paired where the arrivals were the same', () => {
    const { pairs, marks } = compareRuns(first, again());
    expect(pairs.map(({ other }) => other.variant)).toEqual(['as-shipped', 'wider']);
    expect(pairs.every(({ paired }) => paired)).toBe(true);
    expect(marks.map(({ about }) => about)).toEqual(['time']);
    const seeded = compareRuns(first, again({ scenario: { ...first.scenario, seed: 2 } }));
    expect(seeded.pairs.every(({ paired }) => !paired)).toBe(true);
    expect(seeded.marks.map(({ about }) => about)).toEqual(['seed', 'time']);
  });

  it('that mean something else are refused by the name of every difference, and marked where that is forced', () => {
    const { scenario, environment } = first;
    const cases: [Partial<RunRecord>, string][] = [
      [{ scenario: { ...scenario, name: 'office' } }, 'different scenario: ticket-sale and office'],
      [{ scenario: { ...scenario, sha256: 'ff' } }, 'different content of the scenario file'],
      [{ driver: 'docker' }, 'different driver: netns and docker'],
      [{ environment: { ...environment, cpus: 64 } }, 'different number of CPUs: 2 and 64'],
    ];
    for (const [changes, words] of cases) {
      expect(refusal(first, again(changes))).toContain(words);
      const { marks } = compareRuns(first, again(changes), { force: true });
      expect(marks.find(({ text }) => text.startsWith(words))?.refused).toBe(true);
    }
    expect(refusal(first, again({ driver: 'docker', environment: { ...environment, cpus: 64 } }))).toMatch(
      /driver.*CPUs/,
    );
    const engine = keeping(9).map((one) => ({ ...one, generator: { ...punctual, engine: 'undici' } }));
    const other = again({ variants: [variant('wider', engine)] });
    expect(refusal(first, other)).toContain('different traffic engines, socket and undici');
  });

  it('of another kernel, other versions, or other variants are marked', () => {
    const environment = { ...first.environment, kernel: '5.10.0', versions: { nginx: '1.26.0', haproxy: '2.6' } };
    const other = again({ environment, variants: [variant('wider', keeping(9)), variant('new', keeping(9))] });
    const { pairs, marks } = compareRuns(first, other);
    expect(pairs).toHaveLength(1);
    const texts = marks.map(({ text }) => text).join('\n');
    for (const words of ['different kernel: 6.18.0 and 5.10.0', 'nginx: 1.22.1 and 1.26.0', 'haproxy: unknown and 2.6'])
      expect(texts).toContain(words);
    expect(texts).toContain('as-shipped is only in run');
    expect(texts).toContain('new is only in run');
  });

  it('are refused where there is nothing to compare', () => {
    expect(refusal(first, first)).toContain('compared with itself');
    expect(refusal(first, again(), { base: 'wider' })).toContain('--base');
    expect(refusal(first, again({ variants: [variant('x', losing(2))] }))).toMatch(
      /no variant in common.*as-shipped, wider.*has x/,
    );
  });
});
