/** The page of a run as a file: its numbers, what it says of a run that did not end well, what hostile names can do, what is bounded. */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { highest, newBins } from '../../../src/report/html/bins.js';
import { columnsOf } from '../../../src/report/html/chain-layout.js';
import { escapeText, html, jsonForScript } from '../../../src/report/html/escape.js';
import { readReport } from '../../../src/report/html/read-report.js';
import { renderReport } from '../../../src/report/html/render-report.js';
import { writeReport } from '../../../src/report/html/write-report.js';
import { DUE, IN_ITS_WAKE, LOST, madeRun } from './made-run.js';

const sum = (values: (number | null)[]) => values.reduce((total: number, value) => total + (value ?? 0), 0);
const pageOf = (dir: string) => renderReport(readReport(dir));

/** Every number of a page that names its place in run.json, with what stands there. */
function numbersOf(page: string, record: unknown): { path: string; shown: number; recorded: unknown }[] {
  return [...page.matchAll(/<data value="([^"]+)" data-path="([^"]+)">/g)].map(([, value, pointer]) => {
    const path = pointer
      .replace(/&#39;/g, "'")
      .replace(/&quot;/g, '"')
      .replace(/&lt;/g, '<')
      .replace(/&gt;/g, '>')
      .replace(/&amp;/g, '&');
    const parts = path
      .split('/')
      .slice(1)
      .map((part) => part.replace(/~1/g, '/').replace(/~0/g, '~'));
    const recorded = parts.reduce<unknown>((at, part) => (at as Record<string, unknown>)[part], record);
    return { path, shown: Number(value), recorded };
  });
}

describe('what a page is made from', () => {
  it('counts every request once, over time, at the cause that the record has', () => {
    const { dir, record } = madeRun();
    const { told } = readReport(dir);
    expect(told.map(({ variant }) => variant)).toEqual(['as-shipped', 'wider-pool']);
    for (const [index, { series }] of told.entries()) {
      const { requests } = record.variants[index];
      expect(sum(series.due)).toBe(requests.due);
      expect(sum(series.completed)).toBe(requests.completed);
      expect(sum(series.drops.flatMap(({ values }) => values))).toBe(requests.dropped);
      const cells = series.heat.cells.filter((_, at) => at % 3 === 2);
      expect(sum(cells)).toBe(requests.completed);
      for (const list of [
        series.completed,
        ...series.drops.map(({ values }) => values),
        ...series.pools.map(({ inUse }) => inUse),
      ])
        expect(list).toHaveLength(series.bins);
    }
    expect(told[0].series.drops.map(({ label, values }) => [label, sum(values)])).toEqual([
      ['ports-exhausted@edge', LOST],
      ['backend-held-down@shop because ports-exhausted@edge', IN_ITS_WAKE],
    ]);
    expect(told[0].series.pools[0]).toMatchObject({ node: 'edge', capacity: 100 });
    expect(Math.max(...told[0].series.pools[0].inUse.map((value) => value ?? 0))).toBe(100);
    expect(told[0].series.events).toEqual([{ atS: 0.2, text: 'kill shop' }]);
  });

  it('has the percentiles of the record at the ends of its curves', () => {
    const { dir, record } = madeRun({ trials: 2 });
    const { curves } = readReport(dir);
    const response = curves.find(({ variant, kind }) => variant === 'wider-pool' && kind === 'response')!;
    const { latency } = record.variants[1];
    expect(response.count).toBe(latency.response.count);
    expect(response.percentiles.at(-1)).toEqual([latency.response.count, latency.response.max]);
    expect(response.percentiles.find(([oneOf]) => oneOf === 100)?.[1]).toBe(latency.response.p99);
    expect(sum(response.histogram.map(([, share]) => share))).toBeCloseTo(1, 2);
  });

  it('shows single requests of each cause with the story that explain tells', () => {
    const [{ examples }] = readReport(madeRun({ words: 'upstream said no' }).dir).told;
    expect(new Set(examples.map(({ place }) => place))).toEqual(
      new Set(['ports-exhausted@edge', 'backend-held-down@shop because ports-exhausted@edge']),
    );
    expect(examples.length).toBeLessThanOrEqual(6);
    for (const { id, story } of examples) {
      expect(story).toContain(`request ${id}`);
      expect(story).toContain('upstream said no');
    }
  });

  it('tells the trial that lost the most', () => {
    const { dir } = madeRun({ trials: 2 });
    expect(readReport(dir).told[0]).toMatchObject({ trial: 1, trials: 2 });
  });

  it('tells so many variants at most, those that lost the most among them, and names the others', () => {
    const variants = Array.from({ length: 27 }, (_, index) => `v${index}`);
    const { dir } = madeRun({ variants });
    const data = readReport(dir);
    expect(data.told.map(({ variant }) => variant)).toEqual(variants.slice(0, 24));
    expect(data.untold).toEqual(['v24', 'v25', 'v26']);
    const page = renderReport(data);
    expect(page).toContain('Left out: v24, v25 and v26.');
    // Their numbers are there all the same.
    expect(page).toContain('data-path="/variants/26/requests/due"');
  });

  it('has so many bins at most, however long the run was, and loses no count', () => {
    const bins = newBins();
    const hours = 30;
    for (let second = 0; second < hours * 3600; second++) bins.add('due', second * 1000);
    const { widthMs, bins: count, counts } = bins.take(1000, 0);
    expect(count).toBeLessThanOrEqual(1000);
    expect(widthMs * count).toBeGreaterThanOrEqual(hours * 3600 * 1000 - 1000);
    expect(sum(counts.get('due')!)).toBe(hours * 3600);
  });

  it('keeps the highest sample of a bin, and the last known one where there is none', () => {
    const samples = [
      { timeMs: 110, value: 5 },
      { timeMs: 190, value: 9 },
      { timeMs: 195, value: 2 },
      { timeMs: 420, value: 4 },
    ];
    expect(highest(samples, { widthMs: 100, bins: 6 })).toEqual([null, 9, 9, 9, 4, null]);
  });

  it('draws nodes right of all that lead to them, and an attacker just before its victim', () => {
    const node = (to?: string) => ({
      kind: '',
      layer: 'L7' as const,
      hosts: [],
      spec: {},
      ...(to !== undefined && { to }),
    });
    const nodes = {
      buyers: node('edge'),
      edge: node('balancer'),
      mallory: node('balancer'),
      balancer: node('shop'),
      shop: node(),
    };
    expect(columnsOf({ nodes })).toEqual([['buyers'], ['edge', 'mallory'], ['balancer'], ['shop']]);
  });
});

describe('the page', () => {
  it('shows the numbers of run.json, each with where it stands there', () => {
    const { dir } = madeRun({ trials: 2 });
    const record: unknown = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8'));
    const numbers = numbersOf(pageOf(dir), record);
    for (const { path, shown, recorded } of numbers) expect({ path, shown }).toEqual({ path, shown: recorded });
    const paths = new Set(numbers.map(({ path }) => path));
    for (const variant of [0, 1])
      for (const rest of [
        'requests/due',
        'requests/completed',
        'requests/dropped',
        'latency/response/p99',
        'latency/connect/p50',
        'ports/edge/peak',
        'ports/edge/capacity',
        'visitors/turnedAway',
      ])
        expect(paths).toContain(`/variants/${variant}/${rest}`);
    expect(paths).toContain('/variants/0/requests/byCause/0/count');
    expect(paths).toContain('/variants/0/requests/byCause/0/evidence/0/value');
    expect(paths).toContain('/variants/0/gates/0/observed');
    expect(paths).toContain('/variants/0/perTrial/1/requests/dropped');
  });

  it('answers in its order', () => {
    const page = pageOf(madeRun().dir);
    const headings = [...page.matchAll(/<h2 [^>]*>([^<]*)</g)].map(([, text]) => text);
    expect(headings).toEqual([
      'Did it hold?',
      'What was lost, where and why?',
      'When?',
      'How slow?',
      'The variants side by side',
      'Settings and versions',
      'The evidence',
    ]);
    expect(page).toContain('1 of 3 gates does not hold');
    expect(page).toContain(`as-shipped lost ${LOST + IN_ITS_WAKE} of ${DUE} requests because edge ran out of ports`);
    expect(page).toContain('topology.edge.ports');
  });

  it('says at its top that a run was interrupted, and what is missing', () => {
    const page = pageOf(madeRun({ end: 'interrupted' }).dir);
    const top = page.slice(0, page.indexOf('id="losses"'));
    expect(top).toContain('interrupted: only what ran to its end is shown');
    expect(top).toContain('wider-pool, trial 1 was cut short');
  });

  it('says at its top that a measurement is invalid, and why', () => {
    const page = pageOf(madeRun({ problems: ['the tap of edge lost 12 packets'] }).dir);
    const top = page.slice(0, page.indexOf('id="losses"'));
    expect(top).toContain('<strong>Invalid</strong> the numbers below must not be trusted');
    expect(top).toContain('as-shipped is invalid: the tap of edge lost 12 packets.');
    expect(page).toContain('The variants cannot be compared');
  });

  it('allows its own style and script by their hash and nothing else', () => {
    const page = pageOf(madeRun().dir);
    const policy = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(page)![1].replace(/&#39;/g, "'");
    const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
    const [style] = [...page.matchAll(/<style>([\s\S]*?)<\/style>/g)].map(([, text]) => text);
    const [script] = [...page.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(([, text]) => text);
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      `style-src ${hash(style)}`,
      `script-src ${hash(script)}`,
      "base-uri 'none'",
      "form-action 'none'",
    ]);
    expect(page.match(/<script|<style/g)).toHaveLength(3);
    expect(page).not.toMatch(/<(link|img|iframe|object|embed|base)\b|\bsrc=|@import|\sstyle="|\son\w+="/);
  });
});

describe('whatever stands in a record', () => {
  const HOSTILE = `"'><script>alert(1)</script><!--\u2028&amp;</title></style>`;

  it('is text on the page, wherever it is shown', () => {
    const run = madeRun({ variants: [HOSTILE, `${HOSTILE}2`], edge: HOSTILE, words: HOSTILE });
    const page = pageOf(run.dir);
    expect(page.match(/<script/g)).toHaveLength(2);
    expect(page.match(/<\/script/g)).toHaveLength(2);
    expect(page).not.toContain('<!--');
    const data = /<script type="application\/json" id="data">([\s\S]*?)<\/script>/.exec(page)![1];
    expect(data).not.toMatch(/[<>\u2028\u2029]/);
    expect(JSON.parse(data).variants[0].name).toBe(HOSTILE);
    const record: unknown = JSON.parse(readFileSync(join(run.dir, 'run.json'), 'utf8'));
    for (const { path, shown, recorded } of numbersOf(page, record))
      expect({ path, shown }).toEqual({ path, shown: recorded });
  });

  it('is escaped unless it is markup of the program', () => {
    expect(html`<p title="${'"<&>\''}">${'<b>'}${html`<i>`}${[1, '<']}${null}${false}</p>`.html).toBe(
      '<p title="&quot;&lt;&amp;&gt;&#39;">&lt;b&gt;<i>1&lt;</p>',
    );
    expect(escapeText('a\u0000b\u001b[31m')).toBe('a\ufffdb\ufffd[31m');
    expect(JSON.parse(jsonForScript({ text: '</script>\u2028' }).html)).toEqual({ text: '</script>\u2028' });
  });
});

describe('writing it', () => {
  it('puts it beside the record, or where it is wanted', () => {
    const { dir } = madeRun();
    expect(writeReport(dir)).toBe(join(dir, 'report.html'));
    const elsewhere = join(dir, 'a', 'b.html');
    expect(writeReport(dir, { file: elsewhere })).toBe(elsewhere);
    expect(readFileSync(elsewhere, 'utf8')).toBe(readFileSync(join(dir, 'report.html'), 'utf8'));
  });

  it('names the file that is damaged', () => {
    const { dir } = madeRun();
    const file = join(dir, 'latency', 'wider-pool-1-response.hlog');
    writeFileSync(file, readFileSync(file, 'utf8').replace(/HIST/g, 'HURT'));
    expect(() => writeReport(dir)).toThrow(expect.objectContaining({ exitCode: 2, where: file }));
  });

  it('says so where it cannot be written', () => {
    const { dir } = madeRun();
    mkdirSync(join(dir, 'report.html', 'in the way'), { recursive: true });
    expect(() => writeReport(dir)).toThrow(
      expect.objectContaining({ exitCode: 2, hint: expect.stringContaining('--out') }),
    );
  });
});
