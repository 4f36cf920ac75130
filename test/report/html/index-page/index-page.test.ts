/** The page over a results folder as a file: all runs, the course of each gate metric, whatever lies there; bounded, and the same bytes again. */
import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readIndex } from '../../../../src/report/html/index-page/read-index.js';
import { renderIndexPage } from '../../../../src/report/html/index-page/render-index-page.js';
import { writeIndex } from '../../../../src/report/html/index-page/write-index.js';
import { variantRecord } from '../../../helpers/trials.js';
import { idOf, latencyGate, madeResults } from './made-results.js';

const range = (length: number) => Array.from({ length }, (_, index) => index);

describe('the runs', () => {
  it('are all there, newest first, each with how it ended and what it lost', () => {
    const dir = madeResults([
      { at: 1 },
      { at: 2, gates: [latencyGate(300)] },
      { at: 3, changes: { verdict: 'invalid' } },
      { at: 4, changes: { verdict: 'none', status: 'interrupted' } },
      { at: 5, changes: { verdict: 'none', status: 'interrupted', finishedAt: null, variants: [] } },
      { at: 6, changes: { driver: 'docker' } },
    ]);
    const { runs, broken, left } = readIndex(dir);
    expect(runs.map(({ id, ending }) => [id, ending])).toEqual([
      [idOf(6), 'pass'],
      [idOf(5), 'unfinished'],
      [idOf(4), 'interrupted'],
      [idOf(3), 'invalid'],
      [idOf(2), 'fail'],
      [idOf(1), 'pass'],
    ]);
    expect(runs[0]).toMatchObject({ scenario: 'ticket-sale', driver: 'docker', variants: 2 });
    expect(runs[0].totals).toEqual({
      due: 6000,
      dropped: 300,
      slowest: { index: 0, variant: 'as-shipped', p99: 120 },
      failed: 0,
      gates: 1,
    });
    expect({ broken, left }).toEqual({ broken: [], left: { runs: 0, broken: 0, searches: 0 } });
  });

  it('are in the order of their beginning, whatever their folders are called, and each is there once', () => {
    const dir = madeResults([{ at: 1, gates: [latencyGate(300)] }, { at: 2 }, { at: 3, scenario: 'nat-pool' }]);
    renameSync(join(dir, idOf(1)), join(dir, 'baseline-main'));
    rmSync(join(dir, 'latest'));
    cpSync(join(dir, idOf(2)), join(dir, 'latest'), { recursive: true });
    const { runs, scenarios } = readIndex(dir);
    expect(runs.map(({ folder }) => folder)).toEqual([idOf(3, 'nat-pool'), idOf(2), 'baseline-main']);
    expect(scenarios.map(({ name, course }) => [name, course])).toEqual([
      ['nat-pool', ['pass']],
      ['ticket-sale', ['fail', 'pass']],
    ]);
    expect(scenarios[1].trends[0].points.map(({ run, observed }) => [run, observed])).toEqual([
      [2, 300],
      [1, 120],
    ]);
  });

  it('lead to their own pages where they have one', () => {
    const dir = madeResults([{ at: 1 }, { at: 2 }]);
    writeFileSync(join(dir, idOf(1), 'report.html'), '');
    const page = readFileSync(writeIndex(dir), 'utf8');
    expect(new Set([...page.matchAll(/href="([^"#]+)"/g)].map(([, way]) => way))).toEqual(
      new Set([`./${idOf(1)}/report.html`]),
    );
  });

  it('are read from run.json alone', () => {
    const dir = madeResults([{ at: 1 }]);
    // Whoever opened one of these would fail.
    for (const file of ['requests.bin', 'series.ndjson', 'ways.ndjson', 'latency'])
      if (file === 'latency') writeFileSync(join(dir, idOf(1), file), '');
      else mkdirSync(join(dir, idOf(1), file));
    expect(readIndex(dir).runs).toHaveLength(1);
  });

  it('of thousands the newest 1000 are listed, and the page says so and stays small', () => {
    const dir = madeResults(range(1005).map((at) => ({ at, scenario: `s${at % 40}` })));
    const data = readIndex(dir);
    expect(data.runs).toHaveLength(1000);
    expect(data.runs.at(-1)?.startedAt).toContain('T00:05');
    expect(data.left.runs).toBe(5);
    const page = renderIndexPage(data, 'results');
    expect(page).toContain('5 older runs in this folder are left out');
    expect(page.length).toBeLessThan(3_000_000);
  });
});

describe('the trends', () => {
  it('are what each gate saw against its bound, in the order of time', () => {
    const dir = madeResults([
      { at: 1, gates: [latencyGate(100)] },
      { at: 2, gates: [latencyGate(270)] },
      { at: 3, gates: [latencyGate(270, 300)] },
      { at: 4, gates: [latencyGate(null, 300)] },
    ]);
    const { runs, scenarios } = readIndex(dir);
    expect(scenarios).toHaveLength(1);
    const [{ trends, course }] = scenarios;
    expect(course).toEqual(['pass', 'fail', 'pass', 'fail']);
    expect(trends).toHaveLength(1);
    expect(trends[0]).toMatchObject({
      variant: 'wider-pool',
      metric: 'latency.response.p99',
      operator: '<',
      unit: 'ms',
    });
    expect(trends[0].points.map(({ run, observed, bound, pass }) => [runs[run].id, observed, bound, pass])).toEqual([
      [idOf(1), 100, 250, true],
      [idOf(2), 270, 250, false],
      [idOf(3), 270, 300, true],
      [idOf(4), null, 300, false],
    ]);
  });

  it('take the bound of a relative gate from its baseline, and mark what cannot be trusted and where the file was changed', () => {
    const gate = {
      gate: 'dropped <= baseline + 10%',
      observed: 30,
      pass: true,
      baseline: { value: 28, bound: 30.8, trials: { run: 1, baseline: 1 } },
    };
    const doubtful = variantRecord('wider-pool', { validity: { valid: false, reasons: ['late'] } }, [gate]);
    const dir = madeResults([
      { at: 1, gates: [gate] },
      {
        at: 2,
        changes: {
          variants: [doubtful],
          verdict: 'invalid',
          scenario: { name: 'ticket-sale', file: 's.yaml', sha256: '11', seed: 1 },
        },
      },
    ]);
    const [{ trends }] = readIndex(dir).scenarios;
    expect(trends[0].points.map(({ bound, valid, isChanged }) => [bound, valid, isChanged])).toEqual([
      [30.8, true, false],
      [30.8, false, true],
    ]);
    expect(renderIndexPage(readIndex(dir), 'results')).toContain('class="doubtful"');
  });

  it('keep drivers apart', () => {
    const dir = madeResults([{ at: 1 }, { at: 2, changes: { driver: 'docker' } }]);
    const [{ trends }] = readIndex(dir).scenarios;
    expect(trends.map(({ driver, points }) => [driver, points.length])).toEqual([
      ['docker', 1],
      ['netns', 1],
    ]);
  });

  it('are the most telling ones where there are many: those that fail, then those near their bound', () => {
    const gates = (fails: boolean) => [
      ...range(30).map((node) => ({ gate: `ports.n${node}.peak < 80%`, observed: node / 100, pass: true })),
      latencyGate(fails ? 300 : 100),
    ];
    const dir = madeResults([
      { at: 1, gates: gates(false) },
      { at: 2, gates: gates(true) },
    ]);
    const [{ trends, left }] = readIndex(dir).scenarios;
    expect(trends).toHaveLength(12);
    expect(left).toBe(19);
    expect(trends.slice(0, 3).map(({ metric }) => metric)).toEqual([
      'latency.response.p99',
      'ports.n29.peak',
      'ports.n28.peak',
    ]);
  });

  it('hold so many points, the newest, and say how many are left out', () => {
    const dir = madeResults(range(70).map((at) => ({ at })));
    const [{ trends }] = readIndex(dir).scenarios;
    expect([trends[0].points.length, trends[0].left]).toEqual([60, 10]);
    expect(trends[0].points.at(-1)?.run).toBe(0);
  });
});

describe('whatever else lies in the folder', () => {
  it('is named with what is wrong, and is never fatal', () => {
    const dir = madeResults([{ at: 1 }, { at: 2 }, { at: 3 }, { at: 4 }]);
    writeFileSync(join(dir, idOf(2), 'run.json'), '{"schema": "portparty/run@1", "id"');
    writeFileSync(join(dir, idOf(3), 'run.json'), '{"schema": "portparty/run@9"}');
    writeFileSync(join(dir, idOf(4), 'run.json'), '{"schema": "portparty/run@1", "id": "x"}');
    mkdirSync(join(dir, idOf(5)));
    mkdirSync(join(dir, 'notes'));
    writeFileSync(join(dir, 'README.md'), 'results');
    mkdirSync(join(dir, idOf(6, 'sale-capacity')));
    writeFileSync(join(dir, idOf(6, 'sale-capacity'), 'capacity.json'), '{}');
    const { runs, broken, left } = readIndex(dir);
    expect(runs.map(({ id }) => id)).toEqual([idOf(1)]);
    expect(broken.map(({ folder }) => folder)).toEqual([5, 4, 3, 2].map((at) => idOf(at)));
    const [half, field, schema, json] = broken.map(({ why }) => why);
    expect(half).toContain('it holds no run.json');
    expect(field).toContain('the record is damaged: startedAt');
    expect(schema).toContain('portparty/run@9');
    expect(json).toContain('it is no JSON');
    expect(left.searches).toBe(1);
    const page = renderIndexPage(readIndex(dir), 'results');
    for (const at of [2, 3, 4, 5]) expect(page).toContain(`<code>${idOf(at)}</code>`);
  });

  it('is a page even where no record can be read', () => {
    const dir = madeResults([{ at: 1 }]);
    writeFileSync(join(dir, idOf(1), 'run.json'), '');
    expect(readFileSync(writeIndex(dir), 'utf8')).toContain('No record can be read');
  });

  it('is text on the page', () => {
    const hostile = `"'><script>alert(1)</script><!--</title>`;
    const dir = madeResults([{ at: 1 }]);
    const file = join(dir, idOf(1), 'run.json');
    const record = JSON.parse(readFileSync(file, 'utf8'));
    record.scenario.name = hostile;
    record.variants[1].name = hostile;
    writeFileSync(file, JSON.stringify(record));
    const page = renderIndexPage(readIndex(dir), hostile);
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page).not.toContain('<!--');
    expect(page).not.toMatch(/<(link|img|iframe|object|embed|base)\b|\bsrc=|\sstyle="|\son\w+="/);
  });
});

describe('writing it', () => {
  it('gives the same bytes again', () => {
    const dir = madeResults([{ at: 1 }, { at: 2, gates: [latencyGate(300)] }]);
    const file = writeIndex(dir);
    expect(file).toBe(join(dir, 'index.html'));
    const page = readFileSync(file, 'utf8');
    writeIndex(dir);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });

  it('refuses a folder without a run, and what is no folder, by name', () => {
    const dir = madeResults([]);
    const error = (message: string, where: string) => expect.objectContaining({ exitCode: 2, message, where });
    expect(() => writeIndex(dir)).toThrow(error('there is no run in this folder', dir));
    expect(() => writeIndex(join(dir, 'nope'))).toThrow(error('there is no such folder', join(dir, 'nope')));
    writeFileSync(join(dir, 'file'), '');
    expect(() => writeIndex(join(dir, 'file'))).toThrow(error('this is not a folder', join(dir, 'file')));
  });
});
