/** `portparty report`: where the page goes, how it is opened, and mistakes; and that a run writes it by itself, whatever becomes of the page. */
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { expect, it } from 'vitest';
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
