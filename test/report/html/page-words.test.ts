/** What a page of a run says in words and in tables: of a run without an end, of what was cut short, of its charts, of what to try. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRun } from '../../../src/record/read-record.js';
import { readReport } from '../../../src/report/html/read-report.js';
import { renderReport } from '../../../src/report/html/render-report.js';
import { DUE, IN_ITS_WAKE, LOST, madeRun } from './made-run.js';

const pageOf = (dir: string) => renderReport(readReport(dir));
const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

const unescaped = (text: string) =>
  text
    .replace(/&#39;/g, "'")
    .replace(/&quot;/g, '"')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');

const wordsOf = (markup: string) =>
  unescaped(markup.replace(/<[^>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();

/** A section of a page without its markup. */
function textOf(page: string, id: string): string {
  const from = page.indexOf(`<section id="${id}"`);
  return wordsOf(page.slice(from, page.indexOf('</section>', from)));
}

/** The cells of the table with this caption. */
function rowsOf(page: string, caption: string): string[][] {
  const from = page.indexOf(`<caption><span>${caption}</span>`);
  expect(from, caption).toBeGreaterThan(0);
  const rows = page.slice(from, page.indexOf('</table>', from)).split('<tr>').slice(1);
  return rows.map((row) => [...row.matchAll(/<t[hd][^>]*>(.*?)<\/t[hd]>/gs)].map(([, cell]) => wordsOf(cell)));
}

/** Changes a record on disk. */
function edit(dir: string, change: (record: ReturnType<typeof readRun>) => void): void {
  const record = readRun(dir);
  change(record);
  writeFileSync(join(dir, 'run.json'), JSON.stringify(record));
}

describe('a run that did not come to its end', () => {
  it('has not finished where its record has no end', () => {
    const { dir } = madeRun({ end: 'interrupted', cutAt: 0 });
    edit(dir, (record) => {
      record.finishedAt = null;
    });
    expect(pageOf(dir)).toMatch(/<strong>Not finished<\/strong> it still runs, or was killed/);
    const failed = madeRun({ end: 'interrupted' }).dir;
    edit(failed, (record) => {
      record.finishedAt = null;
      record.verdict = 'fail';
    });
    expect(pageOf(failed)).toContain('The run has not finished: only what ran to its end is shown.');
  });

  it('says nothing that was not decided', () => {
    const none = 'No request was lost or late';
    const first = pageOf(madeRun({ end: 'interrupted', cutAt: 0 }).dir);
    expect(textOf(first, 'losses')).toContain('70 were lost');
    expect(textOf(first, 'evidence')).toContain('No trial ran to its end, and no cause was decided.');
    const second = madeRun({ end: 'interrupted', lost: -IN_ITS_WAKE }).dir;
    expect(textOf(pageOf(second), 'evidence')).toContain(
      'No trial that ran to its end lost a request, and none was late. Of what was cut short no cause was decided.',
    );
    const losing = pageOf(madeRun({ end: 'interrupted' }).dir);
    expect(textOf(losing, 'evidence')).toContain('Of what was cut short no cause was decided.');
    for (const page of [first, pageOf(second), losing]) expect(page).not.toContain(none);
    // The picture says so as well to those who cannot see it.
    expect(first).toContain('What was lost was not decided.</desc>');
    expect(first).not.toContain('Lost: nothing.');
    expect(pageOf(madeRun({ lost: -IN_ITS_WAKE }).dir)).toContain(none);
  });
});

describe('the charts over time', () => {
  it('have the sockets by TCP state as tables, of each node their highest number', () => {
    const page = pageOf(madeRun().dir);
    const rows = rowsOf(page, 'Sockets of edge in as-shipped by TCP state over time');
    expect(rows[0]).toEqual(['Time, s', 'ESTABLISHED']);
    expect(Math.max(...rows.slice(1).map(([, established]) => Number(established) || 0))).toBe(200);
    expect(rowsOf(page, 'Sockets of shop in as-shipped by TCP state over time')[0]).toEqual([
      'Time, s',
      'ESTABLISHED',
      'TIME_WAIT',
    ]);
  });

  it('tell how long the answers took, also of a trial whose latencies were not written', () => {
    const page = pageOf(madeRun({ end: 'interrupted', cutAt: 0 }).dir);
    const [heads, ...rows] = rowsOf(page, 'Answers of as-shipped over time, by how long they took');
    expect(heads).toEqual(['Time, s', '1 ms to 10 ms', '10 ms to 100 ms']);
    const answers = rows.flatMap(([, ...counts]) => counts.map(Number));
    expect(sum(answers)).toBe(DUE - LOST - IN_ITS_WAKE);
  });

  it('have tables of bounded length, however many variants and nodes there are', () => {
    const page = pageOf(madeRun({ variants: Array.from({ length: 24 }, (_, index) => `v${index}`) }).dir);
    const rows = rowsOf(page, 'Sockets of edge in v23 by TCP state over time').length - 1;
    expect(rows).toBeGreaterThanOrEqual(10);
    expect(rows * 24 * 2).toBeLessThanOrEqual(1600);
  });
});

describe('the advice', () => {
  it('comes with a command that is quoted for a shell', () => {
    const variants = ["it's $HOME; rate=1|2", 'other'];
    const page = pageOf(madeRun({ variants, scenarioFile: 'my scenarios/sale.yaml' }).dir);
    expect(textOf(page, 'losses')).toContain(
      `portparty run 'my scenarios/sale.yaml' --variant 'it'\\''s $HOME; rate=1|2' --set topology.edge.ports=`,
    );
  });
});
