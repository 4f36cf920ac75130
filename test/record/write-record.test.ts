import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistogramLogReader } from 'hdr-histogram-js';
import { describe, expect, it } from 'vitest';
import { type Baseline, baselineOf } from '../../src/analysis/baseline.js';
import type { Verdict } from '../../src/ledger/causes.js';
import { findRun, readRun } from '../../src/record/read-record.js';
import { readRequests } from '../../src/record/read-requests.js';
import { createRecord, type RecordWriter, type TrialEnd } from '../../src/record/write-record.js';
import type { Outcomes } from '../../src/traffic/outcomes.js';
import { scratch } from '../helpers/portparty.js';
import { completedOutcomes, drop, exhausted, punctual, scenarioOf } from '../helpers/trials.js';

const LOSES = 'dropped.ports-exhausted@edge == 1';
const KEEPS = 'dropped == 0';

function begin(
  outDir: string,
  variants: Record<string, string[]> = { 'as-shipped': [LOSES], wider: [KEEPS] },
  baseline?: Baseline,
) {
  return createRecord({
    outDir,
    baseline,
    scenario: scenarioOf(variants),
    driver: 'netns',
    driverReason: 'it works here',
    environment: { kernel: '6.18', node: '20.20.2', cpus: 2, versions: {} },
  });
}

function trial(writer: RecordWriter, variant: string, outcomes: Outcomes, number = 1) {
  return writer.beginTrial({
    variant,
    trial: number,
    idPrefix: `0.${number}`,
    steps: ['view-event'],
    clients: ['buyers'],
    nodes: ['buyers', 'edge'],
    startedAtMs: 1000,
    outcomes,
  });
}

function end(outcomes: Outcomes, dropped = new Map<number, Verdict>()): TrialEnd {
  return {
    dropped,
    delayed: new Map(),
    pools: { edge: { capacity: 500, peak: 5, peakShare: 0.01 } },
    counters: {},
    generator: punctual,
    plannedVisitors: outcomes.visitors,
    maxLatenessMs: 10,
    problems: [],
  };
}

/** A run of two variants, the first of which loses one request. */
function wholeRun(outDir: string) {
  const writer = begin(outDir);
  const losing = completedOutcomes(10, 1);
  drop(losing, 3);
  const first = trial(writer, 'as-shipped', losing);
  const nothing = { inUse: { edge: 3 }, timeWait: {}, states: {}, due: 1, completed: 1, dropped: 0, cpu: {} };
  first.sample({ timeNs: 1.5e9, ...nothing });
  first.event({
    plannedNs: 2e9,
    startedNs: 2.001e9,
    tookMs: 4,
    text: 'kill shop[1]',
    kinds: ['kill'],
    hosts: ['shop[1]'],
    outcome: 'done',
  });
  first.finish(end(losing, new Map([[3, exhausted]])));
  const kept = completedOutcomes(10, 1);
  trial(writer, 'wider', kept).finish(end(kept));
  return { writer, record: writer.finish('complete') };
}

const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the record of a run', () => {
  it('holds everything under the names that the documentation gives', () => {
    const outDir = scratch();
    const { writer, record } = wholeRun(outDir);
    expect(writer.id).toMatch(/^\d{8}T\d{6}Z-ticket-sale-[a-z0-9]{4}$/);
    expect(writer.dir).toBe(join(outDir, writer.id));
    expect(readlinkSync(join(outDir, 'latest'))).toBe(writer.id);
    expect(readdirSync(outDir).sort()).toEqual([writer.id, 'latest'].sort());
    expect(readdirSync(writer.dir).sort()).toEqual(
      [
        'chains.ndjson',
        'evidence.ndjson',
        'junit.xml',
        'latency',
        'requests.bin',
        'run.json',
        'series.ndjson',
        'summary.md',
        'ways.ndjson',
      ].sort(),
    );
    expect(readdirSync(join(writer.dir, 'latency')).sort()).toEqual([
      'as-shipped-1-connect.hlog',
      'as-shipped-1-response.hlog',
      'wider-1-connect.hlog',
      'wider-1-response.hlog',
    ]);
    expect(readRun(writer.dir)).toEqual(JSON.parse(JSON.stringify(record)));
  });

  it('counts, judges and closes', () => {
    const { record } = wholeRun(scratch());
    expect(record).toMatchObject({ schema: 'portparty/run@1', status: 'complete', verdict: 'pass' });
    expect(Date.parse(record.finishedAt!)).toBeGreaterThanOrEqual(Date.parse(record.startedAt));
    expect(record.variants.map(({ name, trials, gates }) => [name, trials, gates])).toEqual([
      ['as-shipped', 1, [{ gate: LOSES, observed: 1, pass: true }]],
      ['wider', 1, [{ gate: KEEPS, observed: 0, pass: true }]],
    ]);
    expect(record.variants[0].perTrial).toHaveLength(1);
  });

  it('holds relative gates against a baseline, trial by trial, and names them where there is none', () => {
    const gates = { wider: ['dropped <= baseline', KEEPS] };
    const run = (baseline?: Baseline) => {
      const writer = begin(scratch(), gates, baseline);
      for (const number of [1, 2]) {
        const losing = completedOutcomes(10, 1);
        drop(losing, 3);
        trial(writer, 'wider', losing, number).finish(end(losing, new Map([[3, exhausted]])));
      }
      return writer.finish('complete');
    };
    const first = run();
    expect(first.variants[0]).toMatchObject({
      nodes: ['buyers', 'edge'],
      gates: [{ gate: KEEPS, observed: 2, pass: false }],
      skippedGates: ['dropped <= baseline'],
    });
    const second = run(baselineOf(first));
    expect(second.variants[0].gates[0]).toEqual({
      gate: 'dropped <= baseline',
      observed: 1,
      pass: true,
      baseline: { value: 1, bound: 1, trials: { run: 2, baseline: 2 } },
    });
    expect(second.variants[0]).not.toHaveProperty('skippedGates');
    expect(second.baseline).toEqual({ run: first.id, differences: [] });
  });

  it('keeps evidence, series, requests and latencies of the same requests', () => {
    const { writer } = wholeRun(scratch());
    const where = { run: writer.id, variant: 'as-shipped', trial: 1 };
    expect(linesOf(join(writer.dir, 'evidence.ndjson'))).toEqual([
      { id: '0.1.3.0', ...where, state: 'dropped', cause: 'ports-exhausted', at: 'edge', evidence: exhausted.evidence },
    ]);
    expect(linesOf(join(writer.dir, 'series.ndjson')).slice(0, 3)).toEqual([
      { type: 'trial', ...where, startedAtMs: 1000 },
      expect.objectContaining({ type: 'sample', ...where, timeMs: 1500, inUse: { edge: 3 } }),
      {
        type: 'event',
        ...where,
        timeMs: 2001,
        event: 'kill shop[1]',
        plannedMs: 2000,
        tookMs: 4,
        outcome: 'done',
        hosts: ['shop[1]'],
      },
    ]);
    const rows = [...readRequests(join(writer.dir, 'requests.bin'))];
    expect(rows).toHaveLength(20);
    expect(rows.filter(({ cause }) => cause !== null).map(({ id }) => id)).toEqual(['0.1.3.0']);
    const log = readFileSync(join(writer.dir, 'latency', 'as-shipped-1-response.hlog'), 'utf8');
    expect(new HistogramLogReader(log).nextIntervalHistogram()?.totalCount).toBe(9);
  });

  it('merges the trials of a variant', () => {
    const writer = begin(scratch(), { wider: ['completed == 20'] });
    for (const number of [1, 2]) {
      const kept = completedOutcomes(10, 1);
      trial(writer, 'wider', kept, number).finish(end(kept));
    }
    const [variant] = writer.finish('complete').variants;
    expect(variant).toMatchObject({ trials: 2, requests: { due: 20 }, latency: { response: { count: 20 } } });
    expect(variant.gates).toEqual([{ gate: 'completed == 20', observed: 20, pass: true }]);
  });

  it('is readable and marked interrupted at every moment before its end', () => {
    const outDir = scratch();
    const writer = begin(outDir);
    expect(readRun('latest', outDir)).toMatchObject({
      status: 'interrupted',
      finishedAt: null,
      variants: [],
      verdict: 'none',
    });
    const kept = completedOutcomes(10, 1);
    const first = trial(writer, 'wider', kept);
    first.appendSettled();
    first.appendSettled();
    expect([...readRequests(join(writer.dir, 'requests.bin'))]).toHaveLength(10);
    first.finish(end(kept));
    expect(readRun('latest', outDir)).toMatchObject({
      status: 'interrupted',
      verdict: 'none',
      variants: [{ name: 'wider' }],
    });
    trial(writer, 'as-shipped', completedOutcomes(4, 1)).abandon();
    const record = writer.finish('interrupted');
    expect(record).toMatchObject({ status: 'interrupted', verdict: 'none' });
    expect(record.variants).toHaveLength(1);
    expect([...readRequests(join(writer.dir, 'requests.bin'))]).toHaveLength(14);
  });

  it('of a run that measured nothing is invalid, whatever its gates ask for', () => {
    const writer = begin(scratch(), { wider: [KEEPS] });
    const none = completedOutcomes(0, 1);
    trial(writer, 'wider', none).finish(end(none));
    const record = writer.finish('complete');
    expect(record.verdict).toBe('invalid');
    expect(record.variants[0].gates).toEqual([{ gate: KEEPS, observed: null, pass: false }]);
  });

  it('points latest at the newest run', () => {
    const outDir = scratch();
    wholeRun(outDir);
    const { writer } = wholeRun(outDir);
    expect(readlinkSync(join(outDir, 'latest'))).toBe(writer.id);
  });

  it('does without latest where it cannot be made', () => {
    const outDir = scratch();
    mkdirSync(join(outDir, 'latest'));
    const { writer } = wholeRun(outDir);
    expect(readdirSync(outDir).sort()).toEqual([writer.id, 'latest'].sort());
    expect(findRun('latest', outDir)).toBe(join(outDir, writer.id));
  });

  it('keeps hostile names inside its folder', () => {
    const outDir = scratch();
    const writer = begin(outDir, { '../../up and/away': [] });
    const logs = writer.logsDir('../../up and/away', 1);
    expect(logs.startsWith(join(writer.dir, 'logs'))).toBe(true);
    expect(existsSync(logs)).toBe(true);
    writer.finish('interrupted');
  });

  it('says so when its folder cannot be made', () => {
    const file = join(scratch(), 'file');
    writeFileSync(file, '');
    expect(() => begin(file)).toThrow(expect.objectContaining({ exitCode: 2, hint: expect.stringMatching(/--out/) }));
  });
});

describe('reading a run', () => {
  it('finds it by folder, file, id and as the latest one', () => {
    const outDir = scratch();
    const { writer } = wholeRun(outDir);
    for (const name of [writer.dir, join(writer.dir, 'run.json'), writer.id, 'latest', undefined])
      expect(readRun(name, outDir).id).toBe(writer.id);
    rmSync(join(outDir, 'latest'));
    expect(readRun(undefined, outDir).id).toBe(writer.id);
  });

  it('names what it looked for when there is none', () => {
    const outDir = scratch();
    expect(() => readRun(undefined, outDir)).toThrow(expect.objectContaining({ exitCode: 2, where: outDir }));
    const { writer } = wholeRun(outDir);
    expect(() => readRun('20200101T000000Z-other-aaaa', outDir)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining(writer.id) }),
    );
  });

  it.each([
    ['cut off', (text: string) => text.slice(0, 200), /no JSON/],
    ['empty', () => '', /no JSON/],
    ['of another schema', (text: string) => text.replace('portparty/run@1', 'portparty/run@9'), /run@9/],
    ['something else', () => '[]', /not the record of a run/],
    [
      'damaged inside',
      (text: string) => text.replace('"dropped": 1', '"dropped": "many"'),
      /variants\.0\.requests\.dropped/,
    ],
  ])('names the file and the fault when it is %s', (_, damage, words) => {
    const { writer } = wholeRun(scratch());
    const file = join(writer.dir, 'run.json');
    writeFileSync(file, damage(readFileSync(file, 'utf8')));
    expect(() => readRun(writer.dir)).toThrow(
      expect.objectContaining({ exitCode: 2, where: file, message: expect.stringMatching(words) }),
    );
  });
});
