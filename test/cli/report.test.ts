/** `portparty report`: where the page goes, how it is opened, and mistakes; and that a run writes it by itself, whatever becomes of the page. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { ComparisonData } from '../../src/report/html/comparison/comparison-data.js';
import type { IndexData } from '../../src/report/html/index-page/index-data.js';
import type { ReportData } from '../../src/report/html/report-data.js';
import { portparty, scenarioFile, scratch } from '../helpers/portparty.js';
import { madeRun } from '../report/html/made-run.js';

/** Three requests, straight to a server. */
const SMALL = `
name: small
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 300ms, rate: 10/s }]
  process: uniform
  maxLateness: 10s
`;

it('writes the page beside the record and prints its path alone', async () => {
  const { dir } = madeRun();
  expect(await portparty(['report', dir])).toEqual({ code: 0, stdout: `${join(dir, 'report.html')}\n`, stderr: '' });
  expect(readFileSync(join(dir, 'report.html'), 'utf8')).toMatch(/^<!doctype html>/);
});

it('finds runs in the folder that --out names, and writes the file that it names', async () => {
  const { dir } = madeRun();
  const [folder, id] = [dirname(dir), basename(dir)];
  expect((await portparty(['report', '--out', folder])).stdout).toBe(`${join(folder, 'latest', 'report.html')}\n`);
  expect((await portparty(['report', id, '--out', folder])).stdout).toBe(`${join(folder, id, 'report.html')}\n`);
  const file = join(folder, 'pages', 'sale.html');
  expect(await portparty(['report', dir, '--out', file])).toMatchObject({ code: 0, stdout: `${file}\n` });
  expect(existsSync(file)).toBe(true);
});

it('prints what the page shows as JSON, and writes none', async () => {
  const { dir, record } = madeRun();
  const { code, stdout } = await portparty(['report', dir, '--json']);
  expect(code).toBe(0);
  const data = JSON.parse(stdout) as ReportData;
  expect(data.record).toEqual(JSON.parse(JSON.stringify(record)));
  expect(data.told).toHaveLength(2);
  expect(existsSync(join(dir, 'report.html'))).toBe(false);
});

it('hands the page to the browser of the user, or says what to do', async () => {
  const { dir } = madeRun();
  const folder = scratch();
  const browser = join(folder, 'browser');
  writeFileSync(browser, `#!/bin/sh\nprintf '%s' "$1" > ${join(folder, 'opened')}\n`);
  chmodSync(browser, 0o755);
  expect((await portparty(['report', dir, '--open'], { env: { BROWSER: browser } })).code).toBe(0);
  expect(readFileSync(join(folder, 'opened'), 'utf8')).toBe(join(dir, 'report.html'));
  const none = await portparty(['report', dir, '--open'], { env: { BROWSER: '', DISPLAY: '', WAYLAND_DISPLAY: '' } });
  expect(none).toMatchObject({ code: 2, stdout: `${join(dir, 'report.html')}\n` });
  expect(none.stderr).toContain('hint: open it in any browser');
  const missing = await portparty(['report', dir, '--open'], { env: { BROWSER: join(folder, 'no-such-browser') } });
  expect(missing.code).toBe(2);
  expect(missing.stderr).toContain('no-such-browser');
});

it('says where there is no run, what is damaged, and where it may not write', async () => {
  const { dir } = madeRun();
  const unknown = await portparty(['report', 'nope', '--out', dirname(dir)]);
  expect(unknown).toMatchObject({ code: 2, stdout: '' });
  expect(unknown.stderr).toContain(basename(dir));
  const inTheWay = await portparty(['report', dir, '--out', join(dir, 'run.json', 'x.html')]);
  expect(inTheWay.code).toBe(2);
  expect(inTheWay.stderr).toContain('name another file with --out');
  writeFileSync(join(dir, 'run.json'), '{');
  const damaged = await portparty(['report', dir]);
  expect(damaged.code).toBe(2);
  expect(damaged.stderr).toContain('the record is damaged');
});

it('is written of a run that broke, and says so at its top', async () => {
  const folder = scratch();
  const out = join(folder, 'results');
  writeFileSync(join(folder, 'broken.conf'), 'nonsense;');
  const text = SMALL.replace(
    'to: shop }',
    'to: balancer }\n  balancer: { kind: nginx, config: broken.conf, to: shop }',
  );
  const run = await portparty(['run', scenarioFile(folder, text), '--out', out], { cwd: folder });
  expect(run.code).toBe(3);
  const [id] = readdirSync(out).filter((name) => name !== 'latest');
  expect(readFileSync(join(out, id, 'report.html'), 'utf8')).toContain('<strong>Interrupted</strong>');
});

it('is written by a run at its end', async () => {
  const folder = scratch();
  const out = join(folder, 'results');
  const run = await portparty(['run', scenarioFile(folder, SMALL), '--out', out], { cwd: folder });
  expect(run.code).toBe(0);
  const [id] = readdirSync(out).filter((name) => name !== 'latest');
  expect(run.stderr).toContain(`report: ${join(out, id, 'report.html')}`);
  expect(readFileSync(join(out, id, 'report.html'), 'utf8')).toContain('All 3 requests completed');
});

it('writes several runs beside each other, and says what it shows as JSON', async () => {
  const { dir } = madeRun();
  const out = dirname(dir);
  const other = madeRun({ outDir: out, lost: 10 }).dir;
  const written = await portparty(['report', basename(dir), basename(other), '--out', out]);
  expect(written).toEqual({ code: 0, stdout: `${join(out, 'comparison.html')}\n`, stderr: '' });
  expect(readFileSync(join(out, 'comparison.html'), 'utf8')).toContain('2 of 2 runs fail');
  const file = join(out, 'pages', 'both.html');
  expect(await portparty(['report', dir, other, '--out', file])).toMatchObject({ code: 0, stdout: `${file}\n` });
  const { stdout } = await portparty(['report', dir, other, '--json']);
  expect((JSON.parse(stdout) as ComparisonData).runs.map(({ record }) => record.id)).toEqual([
    basename(dir),
    basename(other),
  ]);
});

it('writes the page over a folder, and refuses what makes no sense with it, by name', async () => {
  const { dir } = madeRun();
  const out = dirname(dir);
  const page = join(out, 'index.html');
  expect(await portparty(['report', '--index', out])).toEqual({ code: 0, stdout: `${page}\n`, stderr: '' });
  expect(readFileSync(page, 'utf8')).toContain(basename(dir));
  const { stdout } = await portparty(['report', '--index', out, '--json']);
  expect((JSON.parse(stdout) as IndexData).runs).toHaveLength(1);
  const mistakes: [string[], string][] = [
    [['report', dir, '--index', out], '--index is over all runs of a folder'],
    [['report', '--index', out, '--out', 'x.html'], '--index has its place'],
    [['report', '--index', scratch()], 'there is no run in this folder'],
    [['report', dir, dir], 'the same run is named twice'],
    [['report', dir, 'nope'], 'there is no run "nope"'],
  ];
  for (const [args, said] of mistakes) {
    const { code, stdout: nothing, stderr } = await portparty(args, { cwd: scratch() });
    expect({ args, code, nothing }).toEqual({ args, code: 2, nothing: '' });
    expect(stderr).toContain(said);
    expect(stderr).not.toContain('    at ');
  }
});
