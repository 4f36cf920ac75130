/** The statistics of runs with more variants than a page takes. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readComparison } from '../../../../src/report/html/comparison/read-comparison.js';
import { statisticsSection } from '../../../../src/report/html/comparison/sections/statistics.js';
import { scratch } from '../../../helpers/portparty.js';
import { madeRun } from '../made-run.js';

const tables = (page: string) => page.match(/<table/g)?.length ?? 0;

it('has tables of the variants that the page shows, says how many there are, and where all of them are', () => {
  const outDir = join(scratch(), 'results');
  const variants = Array.from({ length: 45 }, (_, index) => `v${index}`);
  const runs = [madeRun({ outDir, variants }), madeRun({ outDir, variants }), madeRun({ outDir })];
  const data = readComparison(runs.slice(0, 2).map(({ dir }) => dir));
  const page = statisticsSection(data).html;
  expect(tables(page)).toBe(40);
  for (const variant of data.left) expect(page).not.toContain(`${variant}: B against A`);
  expect(page).toContain(
    `40 of 45 variants are shown; <code>portparty compare ${runs[0].record.id} ${runs[1].record.id}</code> has all.`,
  );
});

it('lists so many variants at most that only one of the runs has, and counts the others', () => {
  const outDir = join(scratch(), 'results');
  const variants = Array.from({ length: 45 }, (_, index) => `v${index}`);
  const runs = [madeRun({ outDir, variants }), madeRun({ outDir, variants: ['v0', 'v1'] })];
  const page = statisticsSection(readComparison(runs.map(({ dir }) => dir))).html;
  const marks = page.slice(page.indexOf('What else was not the same (44)'));
  expect(marks.match(/is only in run/g)?.length).toBeLessThanOrEqual(40);
  expect(marks).toMatch(/v4\d is only in run .*<li>4 more\.<\/li>/s);
  expect(page).not.toContain('variants are shown');
});
