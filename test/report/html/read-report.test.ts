/** What a report reads of a large record: each file of single requests once, the series of the trials it tells; and what it shows of many causes, pools and hosts. */
import { openSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { StoryEvent } from '../../../src/analysis/story.js';
import type { Cause, Verdict } from '../../../src/ledger/causes.js';
import type { TrialRecord } from '../../../src/record/run-record.js';
import { createRecord } from '../../../src/record/write-record.js';
import { readComparison } from '../../../src/report/html/comparison/read-comparison.js';
import { readReport } from '../../../src/report/html/read-report.js';
import { renderReport } from '../../../src/report/html/render-report.js';
import { newSeries } from '../../../src/report/html/trial-series.js';
import { scratch } from '../../helpers/portparty.js';
import { completedOutcomes, drop, punctual, scenarioOf } from '../../helpers/trials.js';
import { madeRun } from './made-run.js';

vi.mock('node:fs', async (original) => {
  const fs = await original<typeof import('node:fs')>();
  return { ...fs, openSync: vi.fn(fs.openSync) };
});

/** How often each file was opened to be read. */
function opened(): Record<string, number> {
  const times: Record<string, number> = {};
  for (const [path, flags] of vi.mocked(openSync).mock.calls) {
    const name = basename(String(path));
    if (flags === 'r') times[name] = (times[name] ?? 0) + 1;
  }
  return times;
}

/** Causes in the order in which they strike, and how many requests. */
const CAUSES: [Cause, number][] = [
  ['refused', 5],
  ['reset', 4],
  ['ports-exhausted', 9],
  ['conntrack-full', 6],
  ['unreachable', 3],
  ['lost', 2],
  ['file-limit', 1],
];

/** A run of 24 variants each of which loses requests to every cause. */
function runOfManyCauses(): string {
  const variants = Array.from({ length: 24 }, (_, index) => `v${index}`);
  const writer = createRecord({
    outDir: join(scratch(), 'results'),
    scenario: scenarioOf(Object.fromEntries(variants.map((name) => [name, []]))),
    driver: 'netns',
    driverReason: '',
    environment: { kernel: '6.18', node: '20.20.2', cpus: 2, versions: {} },
  });
  const causes = CAUSES.flatMap(([cause, times]): Cause[] => Array(times).fill(cause));
  for (const [index, variant] of variants.entries()) {
    const outcomes = completedOutcomes(50, 1);
    const dropped = new Map<number, Verdict>();
    causes.forEach((cause, row) => {
      drop(outcomes, row);
      dropped.set(row, { cause, at: 'edge', evidence: [`${variant} lost ${row} to ${cause}`] });
    });
    const idPrefix = `${index}.1`;
    writer
      .beginTrial({
        variant,
        trial: 1,
        idPrefix,
        steps: ['view-event'],
        clients: ['buyers'],
        nodes: ['buyers', 'edge'],
        startedAtMs: 1_790_000_000_000,
        outcomes,
      })
      .finish({
        dropped,
        delayed: new Map(),
        pools: {},
        counters: {},
        generator: punctual,
        plannedVisitors: outcomes.visitors,
        maxLatenessMs: 10,
        problems: [],
        ways: { kept: { lostEvery: 2, visitorsEvery: 100 }, all: [{ id: `${idPrefix}.0.0`, tries: [] }] },
      });
  }
  writer.finish('complete');
  return writer.dir;
}

describe('a report of a large record', () => {
  beforeEach(() => {
    vi.mocked(openSync).mockClear();
  });

  it('looks all single requests up in one pass of each file', () => {
    const dir = runOfManyCauses();
    vi.mocked(openSync).mockClear();
    const { told } = readReport(dir);
    expect(told.flatMap(({ examples }) => examples)).toHaveLength(144);
    const { 'requests.bin': requests, ...others } = opened();
    expect(others).toMatchObject({ 'ways.ndjson': 1, 'evidence.ndjson': 1 });
    // Once to find its parts, and once each to tell of a trial.
    expect(requests).toBe(1 + told.length);
    for (const { variant, examples } of told)
      for (const { story, place } of examples)
        expect(story.replace(/\s+/g, ' ')).toContain(`${variant} lost ${CAUSES_BEFORE[place.split('@')[0]]} to`);
  });

  it('shows requests of as many causes as there is room for, those that struck the most first', () => {
    const places = readReport(runOfManyCauses()).told[5].examples.map(({ place }) => place.split('@')[0]);
    expect(places).toEqual(['ports-exhausted', 'conntrack-full', 'refused', 'reset', 'unreachable', 'lost']);
  });

  it('parses the samples of the trials that are told, and of no other', () => {
    const variants = Array.from({ length: 26 }, (_, index) => `v${index}`);
    const { dir } = madeRun({ variants, trials: 2 });
    const parse = vi.spyOn(JSON, 'parse');
    const { told } = readReport(dir);
    const samples = parse.mock.calls.filter(([text]) => text.startsWith('{"type":"sample"'));
    parse.mockRestore();
    expect(told).toHaveLength(24);
    expect(samples).toHaveLength(24 * 11);
  });

  it('reads of runs that are compared no single requests', () => {
    const outDir = join(scratch(), 'results');
    const dirs = [madeRun({ outDir }).dir, madeRun({ outDir }).dir];
    vi.mocked(openSync).mockClear();
    const { overlays } = readComparison(dirs);
    expect(overlays.map(({ lines }) => lines.length)).toEqual([2, 2]);
    expect(opened()['ways.ndjson']).toBeUndefined();
    expect(opened()['evidence.ndjson']).toBeUndefined();
  });

  it('lays the variants that lost the most in any run over each other, however many another run tells before them', () => {
    const outDir = join(scratch(), 'results');
    const variants = Array.from({ length: 26 }, (_, index) => `v${index}`);
    const [first, second] = [madeRun({ outDir, variants }), madeRun({ outDir, variants: variants.toReversed() })];
    const { overlays, curves } = readComparison([first.dir, second.dir]);
    const last = overlays.find(({ variant }) => variant === 'v25');
    expect(last?.lines.map(({ run }) => run)).toEqual([0, 1]);
    expect(new Set(curves.map(({ place }) => place)).size).toBe(8);
  });
});

/** Of each cause the first row. */
const CAUSES_BEFORE = Object.fromEntries(
  CAUSES.map(([cause], index) => [cause, CAUSES.slice(0, index).reduce((sum, [, times]) => sum + times, 0)]),
);

describe('many pools and hosts', () => {
  const nodes = Array.from({ length: 20 }, (_, index) => `shop[${index}]`);
  const samples = [0, 100].map((timeMs) => ({
    timeMs,
    inUse: {},
    states: Object.fromEntries(nodes.map((node, index) => [node, { ESTABLISHED: index * timeMs, TIME_WAIT: 3 }])),
  }));
  const ports = Object.fromEntries(
    nodes.map((node, index) => [node, { capacity: 100, peak: index, peakShare: index / 100 }]),
  );
  const finished = newSeries().finish({
    variant: 'v',
    trial: 1,
    record: { ports } as unknown as TrialRecord,
    samples,
    events: [] as StoryEvent[],
    mostBins: 10,
  });

  it('are cut to the fullest, and those with the most sockets, wherever they stand', () => {
    expect(finished.series.pools.map(({ node }) => node)).toEqual(nodes.slice(-8).toReversed());
    expect(finished.series.states.map(({ node }) => node)).toEqual(nodes.slice(-12).toReversed());
  });

  it('are counted, and the page says so where some are left out', () => {
    expect(finished.leftOut).toEqual({ pools: 11, hosts: 8 });
    const data = readReport(madeRun().dir);
    expect(data.told[0].leftOut).toEqual({ pools: 0, hosts: 0 });
    expect(renderReport(data)).not.toContain('Over time this page shows');
    const [one, ...rest] = data.told;
    expect(renderReport({ ...data, told: [{ ...one, ...finished }, ...rest] })).toContain(
      'Over time this page shows the 8 fullest of 19 pools and the 12 of 20 hosts that had the most sockets at once.',
    );
  });
});
