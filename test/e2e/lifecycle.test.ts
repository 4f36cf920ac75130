/** A run's beginning and end: who may run it, what it leaves behind, what an interruption keeps. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { canLowerRights } from '../helpers/ordinary-user.js';
import { finished, losses, portparty, record, scenarioFile, scratch, start, underWay } from '../helpers/portparty.js';

const HELD = `
name: held
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20063, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: hold
  holdFor: 4s
  arrivals: [{ for: 200ms, rate: 500/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 3s }
`;
const LONG = HELD.replace('for: 200ms', 'for: 60s').replace('500/s', '50/s');

/** Command lines of processes that name this test's own folder. */
function processesOf(folder: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(commandLine)
    .filter((line) => line.includes(folder));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return ''; // It has just ended.
  }
}

/** Awaits a condition that the kernel brings about, bounded. */
async function eventually(condition: () => boolean, what: string): Promise<void> {
  const end = Date.now() + 10_000;
  while (!condition()) {
    if (Date.now() > end) throw new Error(`still not: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

it.runIf(canLowerRights())('gives an ordinary user the same verdict as root', async () => {
  for (const asUser of [false, true]) {
    const run = await record(HELD, [], { asUser });
    expect(losses(run.variants[0])).toEqual({ 'ports-exhausted@edge': 36 });
  }
});

it('leaves no process and no file outside results/ after kill -9, and the record says interrupted', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, LONG);
  const before = readdirSync('/dev/shm');
  const child = start(['run', file, '--out', join(folder, 'results')], { cwd: folder });
  await underWay(child);
  child.kill('SIGKILL');
  await eventually(() => processesOf(folder).length === 0, 'all processes gone');
  expect(readdirSync('/dev/shm')).toEqual(before);
  expect(readdirSync(folder).sort()).toEqual(['results', 'scenario.yaml']);
  const record = JSON.parse(readFileSync(join(folder, 'results', 'latest', 'run.json'), 'utf8')) as RunRecord;
  expect(record.status).toBe('interrupted');
});

it('keeps the record on Ctrl-C and exits 130', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, LONG);
  const child = start(['run', file, '--out', join(folder, 'results')], { cwd: folder });
  await underWay(child);
  const end = finished(child);
  child.kill('SIGINT');
  const { code } = await end;
  expect(code).toBe(130);
  const record = JSON.parse(readFileSync(join(folder, 'results', 'latest', 'run.json'), 'utf8')) as RunRecord;
  expect(record.status).toBe('interrupted');
  expect(record.verdict).not.toBe('pass');
  expect(processesOf(folder)).toEqual([]);
});

it('exits 1 when a gate fails, and writes a JUnit file that says so', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, `${HELD}gates: ['dropped == 0']\n`);
  const { code } = await portparty(['run', file, '--out', join(folder, 'results')], { cwd: folder });
  expect(code).toBe(1);
  expect(readFileSync(join(folder, 'results', 'latest', 'junit.xml'), 'utf8')).toContain('<failure');
});

it('exits 4 from a run that measured nothing, whatever its gates say', async () => {
  const folder = scratch();
  const text = `${HELD.replace('rate: 500/s', 'rate: 1/s').replace('for: 200ms', 'for: 100ms').replace('process: uniform', 'process: poisson')}gates: ['dropped == 0']\n`;
  const { code } = await portparty(['run', scenarioFile(folder, text), '--out', join(folder, 'results')], {
    cwd: folder,
  });
  expect([2, 4]).toContain(code);
});

it('exits 2 for a scenario that is wrong, and starts nothing', async () => {
  const folder = scratch();
  const file = scenarioFile(folder, HELD.replace('ports: 20000-20063', 'ports: 20000-70000'));
  const { code, stderr } = await portparty(['run', file, '--out', join(folder, 'results')], { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toMatch(/scenario\.yaml:5:\d+/);
  expect(existsSync(join(folder, 'results'))).toBe(false);
});

it('exits 2 for an engine that cannot send the scenario, and starts nothing', async () => {
  const folder = scratch();
  const args = ['run', scenarioFile(folder, HELD), '--out', join(folder, 'results'), '--engine', 'undici'];
  const { code, stderr } = await portparty(args, { cwd: folder });
  expect(code).toBe(2);
  expect(stderr).toContain('use --engine socket');
  expect(existsSync(join(folder, 'results'))).toBe(false);
});
