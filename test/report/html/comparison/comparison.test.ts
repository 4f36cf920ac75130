/** The page of several runs as a file: who held, what differs, what can be said of it and what cannot, and which runs it refuses. */
import { readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareRuns } from '../../../../src/analysis/comparison/compare.js';
import { readRun } from '../../../../src/record/read-record.js';
import { overlayOf } from '../../../../src/report/html/comparison/overlay.js';
import { readComparison } from '../../../../src/report/html/comparison/read-comparison.js';
import { renderComparisonPage } from '../../../../src/report/html/comparison/render-comparison-page.js';
import { writeComparison } from '../../../../src/report/html/comparison/write-comparison.js';
import { readReport } from '../../../../src/report/html/read-report.js';
import { writeReport } from '../../../../src/report/html/write-report.js';
import { scratch } from '../../../helpers/portparty.js';
import { DUE, IN_ITS_WAKE, LOST, type MadeOptions, madeRun } from '../made-run.js';

/** Runs in one results folder. */
function madeRuns(...all: MadeOptions[]): string[] {
  const outDir = join(scratch(), 'results');
  return all.map((options) => madeRun({ outDir, ...options }).dir);
}

const pageOf = (dirs: string[]) => renderComparisonPage(readComparison(dirs));
/** The part of a page from one heading to the next, without its markup. */
function textOf(page: string, id: string): string {
  const from = page.indexOf(`<section id="${id}"`);
  const section = page.slice(from, page.indexOf('</section>', from));
  return section.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
const few = { lastPort: 20_119, lost: 10 };

describe('what the page is made from', () => {
  it('calls the runs by letters in the order given, and lays the same variant of each over the others', () => {
    const dirs = madeRuns({}, few);
    const { runs, variants, overlays, curves, left } = readComparison(dirs);
    expect(runs.map(({ letter, dir }) => [letter, dir])).toEqual([
      ['A', dirs[0]],
      ['B', dirs[1]],
    ]);
    expect({ variants, left }).toEqual({ variants: ['as-shipped', 'wider-pool'], left: [] });
    expect(overlays.map(({ variant, pool, lines }) => [variant, pool, lines.length])).toEqual([
      ['as-shipped', 'edge', 2],
      ['wider-pool', 'edge', 2],
    ]);
    for (const [index, line] of overlays[0].lines.entries()) {
      const { requests, ports } = readRun(dirs[index]).variants[0];
      expect([sum(line.due), sum(line.lost)]).toEqual([requests.due, requests.dropped]);
      expect(Math.max(...line.share.map((share) => share ?? 0))).toBe(ports.edge.peakShare);
    }
    expect(curves.filter(({ kind }) => kind === 'response').map(({ variant }) => variant)).toEqual([
      'A as-shipped',
      'B as-shipped',
      'A wider-pool',
      'B wider-pool',
    ]);
  });

  it('draws a long run in 400 points at most, and loses no count', () => {
    const [told] = readReport(madeRun().dir).told;
    const bins = 1001;
    const ones: number[] = Array(bins).fill(1);
    const series = {
      ...told.series,
      bins,
      due: ones,
      drops: [{ label: 'reset@edge', cause: 'reset', values: ones }],
      pools: [{ node: 'edge', capacity: 4, inUse: ones.map((_, bin) => (bin === 500 ? 3 : null)) }],
    };
    const [line] = overlayOf(told.variant, [{ run: 0, told: [{ ...told, series }] }]).lines;
    expect(line.due.length).toBeLessThanOrEqual(400);
    expect([sum(line.due), sum(line.lost)]).toEqual([bins, bins]);
    expect(line.binS * line.due.length).toBeGreaterThanOrEqual(bins * told.series.binS);
    expect(line.share.filter((share) => share !== null)).toEqual([0.75]);
  });
});

describe('did each of them hold', () => {
  it.each([
    [[{ lost: -IN_ITS_WAKE }, { lost: -IN_ITS_WAKE }], 'Both hold'],
    [[{ lost: -IN_ITS_WAKE }, {}], '1 of 2 runs fails A holds; B fails'],
    [[{}, {}, {}], '3 of 3 runs fail A, B and C fail'],
    [[{ lost: -IN_ITS_WAKE }, { problems: ['the tap lost packets'] }], '1 of 2 runs holds A holds; B is invalid'],
    [[{ lost: -IN_ITS_WAKE }, { lost: -IN_ITS_WAKE, end: 'interrupted' }], 'A holds; B was interrupted'],
  ] satisfies [MadeOptions[], string][])('of %j: %s', (options, said) => {
    expect(textOf(pageOf(madeRuns(...options)), 'verdict')).toContain(said);
  });

  it('tells of each run what happened in it, and of those alike once', () => {
    const text = textOf(pageOf(madeRuns({}, few, {})), 'verdict');
    expect(text).toContain(
      `A C as-shipped lost ${LOST + IN_ITS_WAKE} of ${DUE} requests because edge ran out of ports`,
    );
    expect(text).toContain(`B as-shipped lost ${10 + IN_ITS_WAKE} of ${DUE} requests`);
  });

  it('shows a run that had no trial yet beside one that had', () => {
    const dirs = madeRuns({}, {});
    edit(dirs[1], (record) => {
      Object.assign(record, { variants: [], status: 'interrupted', finishedAt: null, verdict: 'none' });
    });
    rmSync(join(dirs[1], 'requests.bin'));
    for (const order of [dirs, dirs.toReversed()]) {
      const text = textOf(pageOf(order), 'verdict');
      expect(text).toMatch(/[AB] has not finished: only what ran to its end is shown\./);
      expect(text).toContain('No trial ran to its end: not finished.');
      expect(text).toContain('cannot say: the runs have no variant in common');
    }
  });

  it('says what spoils a run', () => {
    const text = textOf(
      pageOf(madeRuns({ problems: ['the tap of edge lost 12 packets'] }, { end: 'interrupted' })),
      'verdict',
    );
    expect(text).toContain('A, as-shipped, is invalid: the tap of edge lost 12 packets.');
    expect(text).toContain('B was interrupted: only what ran to its end is shown.');
  });
});

describe('what differs', () => {
  it('is told by its name, and nothing that is the same', () => {
    const dirs = madeRuns({}, few);
    const text = textOf(pageOf(dirs), 'changes');
    expect(text).toContain('topology.edge.ports as-shipped 20000-20099 20000-20119');
    expect(text).not.toMatch(/wider-pool|topology\.shop|Kernel|Driver/);
    edit(dirs[1], (record) => {
      record.environment.kernel = '6.19';
      record.environment.versions = {};
    });
    const more = textOf(pageOf(dirs), 'changes');
    expect(more).toContain('Kernel 6.18 6.19');
    expect(more).toContain('nginx 1.22.1 –');
  });

  it('is not looked for between scenarios, whose variants have only their names in common', () => {
    const dirs = madeRuns({}, {}, few);
    edit(dirs[2], (record) => {
      record.scenario.name = 'another';
    });
    const page = pageOf(dirs);
    expect(textOf(page, 'changes')).toContain('Scenario made-run made-run another');
    expect(textOf(page, 'changes')).not.toContain('topology.edge.ports');
    expect(textOf(page, 'verdict')).toContain('runs of different scenarios: made-run and another.');
  });

  it('is nothing where all is the same', () => {
    expect(textOf(pageOf(madeRuns({}, {})), 'changes')).toContain('Nothing but the time');
  });
});

describe('what was lost', () => {
  const none = 'No run lost a request, and none was late.';

  it('is nothing only where every run came to its end', () => {
    const held = { lost: -IN_ITS_WAKE };
    expect(textOf(pageOf(madeRuns(held, held)), 'losses')).toContain(none);
    const cut = textOf(pageOf(madeRuns(held, { ...held, end: 'interrupted' })), 'losses');
    expect(cut).not.toContain(none);
    expect(cut).toContain(
      'No trial that ran to its end lost a request, and none was late; of what was cut short in B no cause was decided.',
    );
  });

  it('is not said of variants that are not shown', () => {
    const many = Array.from({ length: 40 }, (_, index) => `v${index}`);
    const dirs = madeRuns({ variants: ['only here', ...many] }, { variants: many, lost: -IN_ITS_WAKE });
    const text = textOf(pageOf(dirs), 'losses');
    expect(text).not.toContain(none);
    expect(text).toContain('None of the variants shown here lost a request, and none was late.');
  });
});

describe('how sure it is', () => {
  it('has the verdicts of compare where there are trials enough', () => {
    const dirs = madeRuns({ trials: 12 }, { ...few, trials: 12 });
    const data = readComparison(dirs);
    const comparison = compareRuns(readRun(dirs[0]), readRun(dirs[1]));
    expect(data.against).toEqual([{ letter: 'B', kind: 'made', comparison }]);
    const { metrics } = comparison.pairs[0];
    expect(metrics.find(({ metric }) => metric === 'dropped')?.verdict).toBe('better');
    const page = renderComparisonPage(data);
    expect(textOf(page, 'verdict')).toMatch(
      /B against A: better in dropped of as-shipped \(70 → 30\), .*95% sure of all of it together\)/,
    );
    expect(textOf(page, 'statistics')).toMatch(/dropped 70 30 −40 .* ▲ better/);
    expect(textOf(page, 'statistics')).toContain('Holm 1979');
  });

  it('cannot say where there are too few, and how many could', () => {
    const page = pageOf(madeRuns({}, few));
    expect(textOf(page, 'verdict')).toMatch(
      /B against A: cannot say: 1 trial each cannot tell a difference from chance; \d+ each can/,
    );
  });

  it('shares the chance of a false alarm among three runs', () => {
    const { against } = readComparison(madeRuns({}, few, {}));
    expect(against.map((one) => one.kind === 'made' && one.comparison.confidence)).toEqual([0.975, 0.975]);
  });

  it('cannot say where the numbers do not mean the same, and shows them all the same', () => {
    const page = pageOf(madeRuns({}, { driver: 'docker' }));
    expect(textOf(page, 'verdict')).toContain('B against A: cannot say: different driver: netns and docker');
    expect(textOf(page, 'losses')).toContain('ports-exhausted@edge');
  });
});

describe('the file', () => {
  it('stands beside the runs, leads to their own pages where they have one, and has the same bytes again', () => {
    const dirs = madeRuns({}, few);
    writeReport(dirs[1]);
    const file = writeComparison(dirs);
    expect(file).toBe(join(dirname(dirs[0]), 'comparison.html'));
    const page = readFileSync(file, 'utf8');
    expect([...page.matchAll(/href="([^"#]+)"/g)].map(([, way]) => way)).toEqual([
      `./${basename(dirs[1])}/report.html`,
    ]);
    expect(readFileSync(writeComparison(dirs), 'utf8')).toBe(page);
    const elsewhere = writeComparison(dirs, { file: join(dirname(dirs[0]), 'a', 'b', 'c.html') });
    expect(readFileSync(elsewhere, 'utf8')).toContain(`href="../../${basename(dirs[1])}/report.html"`);
    expect(page).not.toContain(dirname(dirs[0]));
  });

  it('stands beside the runs where the first one is named by the folder that one is in', () => {
    const dirs = madeRuns({}, few);
    const before = process.cwd();
    process.chdir(dirs[0]);
    try {
      const file = writeComparison(['.', join('..', basename(dirs[1]))]);
      expect(realpathSync(file)).toBe(realpathSync(join(dirname(dirs[0]), 'comparison.html')));
    } finally {
      process.chdir(before);
    }
  });

  it('holds whatever stands in the records as text', () => {
    const hostile = `"'><script>alert(1)</script><!--\u2028</title>`;
    const page = pageOf(
      madeRuns(
        { variants: [hostile, 'b'], edge: hostile },
        { variants: [hostile, 'b'], edge: hostile, words: hostile },
      ),
    );
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page).not.toContain('<!--');
    expect(page).not.toMatch(/<(link|img|iframe|object|embed|base)\b|\bsrc=|\sstyle="|\son\w+="/);
    const data = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(page)![1];
    expect(JSON.parse(data).overlays[0].variant).toBe(hostile);
  });
});

describe('what it refuses, by name', () => {
  const error = (message: string, where?: string) =>
    expect.objectContaining({
      exitCode: 2,
      message: expect.stringContaining(message),
      ...(where !== undefined && { where: expect.stringContaining(where) }),
    });

  it('a run that is not there, or damaged', () => {
    const [dir] = madeRuns({});
    expect(() => readComparison([dir, 'nope'], dirname(dir))).toThrow(error('there is no run "nope"'));
    const [whole, damaged] = madeRuns({}, {});
    writeFileSync(join(damaged, 'run.json'), '{');
    expect(() => readComparison([whole, damaged])).toThrow(error('the record is damaged', join(damaged, 'run.json')));
  });

  it('the same run twice, also by another name', () => {
    const [dir] = madeRuns({});
    expect(() => readComparison([dir, dir])).toThrow(error('the same run is named twice', dir));
    expect(() => readComparison([basename(dir), 'latest'], dirname(dir))).toThrow(
      error('the same run is named twice', `${basename(dir)} and latest`),
    );
  });

  it('one run, or more than twelve', () => {
    const [dir] = madeRuns({});
    expect(() => readComparison([dir])).toThrow(error('1 runs cannot'));
    expect(() => readComparison(Array(13).fill(dir))).toThrow(error('13 runs cannot'));
  });
});

/** Changes a record on disk. */
function edit(dir: string, change: (record: ReturnType<typeof readRun>) => void): void {
  const record = readRun(dir);
  change(record);
  writeFileSync(join(dir, 'run.json'), JSON.stringify(record));
}
