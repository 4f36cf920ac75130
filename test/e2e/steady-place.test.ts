/** A steady place for the harness: what the machine can send, who took the processors, and which cores the parts keep to. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { type Calibration, machineFacts, newCalibration } from '../../src/run/calibration.js';
import { finished, portparty, record, scenarioFile, scratch, start, underWay } from '../helpers/portparty.js';

const SHORT = `
name: short
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, workers: 2, to: shop }
  shop: { kind: ticket-shop, hosts: 2 }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 2s, rate: 100/s }]
  process: uniform
  maxLateness: 10s
`;

it('says of every part what it took of the processors', async () => {
  const { variants } = await record(SHORT.replace('for: 2s', 'for: 3s'));
  const { cpu, perTrial } = variants[0];
  expect(Object.keys(cpu!.nodes)).toEqual(['balancer', 'shop']);
  expect(cpu!.overSeconds).toBeGreaterThan(2.9);
  expect(cpu!.harness.cpuSeconds).toBeGreaterThan(0);
  expect(cpu!.nodes.balancer.busiest).toMatchObject({ host: 'balancer', program: 'nginx' });
  expect(perTrial[0].cpu).toEqual(cpu);
});

it('names the server whose processor was the bottleneck, and no longer once nothing keeps it busy', async () => {
  // Each guess costs the shop 25 ms of its only thread: 100 a second are two and a half cores' work.
  const { variants } = await record(`
name: burning
topology:
  buyers: { kind: client, to: shop }
  mallory: { kind: attacker, attack: brute-force, rate: 100/s, attempts: 400, to: shop }
  shop: { kind: ticket-shop, login: { user: organiser, password: never-guessed, hashTime: 25ms } }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 4s, rate: 50/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 1s }
variants:
  as-shipped: {}
  lock-out: { topology: { shop: { login: { lockAfter: 5, lockFor: 1m } } } }
`);
  const [shipped, locked] = variants;
  expect(shipped.warnings).toEqual([expect.stringMatching(/^shop was the bottleneck from .*a thread of node/)]);
  expect(shipped.cpu!.nodes.shop.busiest!.ran + shipped.cpu!.nodes.shop.busiest!.waited).toBeGreaterThan(0.9);
  // On a machine that others keep busy it may lack a core, and then that is said; of its own work it has next to none.
  expect((locked.warnings ?? []).filter((warning) => warning.includes('was busy'))).toEqual([]);
  expect(locked.cpu!.nodes.shop.cpuSeconds).toBeLessThan(shipped.cpu!.nodes.shop.cpuSeconds);
});

/** A state folder whose calibration says that this machine sends 50/s. */
function calibrated(changes: Partial<Calibration['machine']> = {}): string {
  const state = scratch();
  const file = join(state, 'portparty', 'calibration.json');
  mkdirSync(dirname(file));
  const result = {
    loadBefore: 0,
    maxLatenessMs: 10,
    steadyPerSecond: 50,
    isAtLeast: false,
    connectionsPerSecond: 60,
    steps: [],
  };
  writeFileSync(file, JSON.stringify({ ...newCalibration(result), machine: { ...machineFacts(), ...changes } }));
  return state;
}

it('tells a run that asks for more than was measured before it starts, and says so in its record', async () => {
  const folder = scratch();
  const args = ['run', scenarioFile(folder, SHORT), '--out', join(folder, 'results')];
  const env = { XDG_STATE_HOME: calibrated() };
  const { stderr, stdout } = await portparty(args, { cwd: folder, env });
  const [ahead] = stderr.split('200 visitors over');
  expect(ahead).toMatch(/^note: default: up to 100 new connections\/s are planned .* 50 new connections\/s on time/m);
  expect(stdout).toContain('up to 100 new connections/s are planned');
  const run = JSON.parse(readFileSync(join(folder, 'results', 'latest', 'run.json'), 'utf8')) as RunRecord;
  expect(run.variants[0].warnings).toContainEqual(expect.stringContaining('up to 100 new connections/s are planned'));
});

it('says nothing where the measurement no longer holds, and doctor says why', async () => {
  const folder = scratch();
  const env = { XDG_STATE_HOME: calibrated({ kernel: '2.6.32' }) };
  const args = ['run', scenarioFile(folder, SHORT), '--out', join(folder, 'results')];
  const { stderr } = await portparty(args, { cwd: folder, env });
  expect(stderr).not.toContain('are planned');
  const doctor = await portparty(['doctor', '--json'], { cwd: folder, env });
  expect(JSON.parse(doctor.stdout).calibration.differences).toEqual([expect.stringContaining('kernel 2.6.32 then')]);
});

it('measures what this machine can send, and keeps it where some rate was sent on time', async () => {
  const state = scratch();
  const { code, stdout, stderr } = await portparty(['doctor', '--bench', '--json'], { env: { XDG_STATE_HOME: state } });
  const measured = JSON.parse(stdout) as Calibration;
  expect(measured).toMatchObject({ schema: 'portparty/calibration@1', machine: machineFacts(), engine: 'socket' });
  expect(measured.connectionsPerSecond).toBeGreaterThan(0);
  expect(measured.steps.every(({ passed, lateP99Ms }) => !passed || lateP99Ms <= measured.maxLatenessMs)).toBe(true);
  const file = join(state, 'portparty', 'calibration.json');
  // A machine that others keep busy may send nothing on time, and then says so.
  expect([code, existsSync(file)]).toEqual(measured.steadyPerSecond === null ? [4, false] : [0, true]);
  if (code === 0) expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(measured);
  else expect(stderr).toContain('not kept');
});

/** The cores that the threads below a process may run on, by the process's command line. */
function coresBelow(pid: number): { command: string; cores: string }[] {
  const read = (path: string) => {
    try {
      return readFileSync(path, 'utf8');
    } catch {
      return ''; // It has just ended.
    }
  };
  const children = read(`/proc/${pid}/task/${pid}/children`)
    .split(' ')
    .filter((child) => child !== '');
  const command = read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
  const cores = /^Cpus_allowed_list:\s*(\S+)/m.exec(read(`/proc/${pid}/status`))?.[1] ?? '';
  return [{ command, cores }, ...children.flatMap((child) => coresBelow(Number(child)))];
}

it.runIf(cpus().length === 2)(
  'keeps the harness on one core and the chain on the other, and the record says so',
  async () => {
    const folder = scratch();
    const text = SHORT.replace('for: 2s', 'for: 4s');
    const child = start(['run', scenarioFile(folder, text), '--pin', '--out', join(folder, 'results')], {
      cwd: folder,
    });
    await underWay(child);
    const end = finished(child);
    const processes = coresBelow(child.pid!);
    const coresOf = (part: string) =>
      new Set(processes.filter(({ command }) => command.includes(part)).map(({ cores }) => cores));
    expect(coresOf('nginx: worker')).toEqual(new Set(['1']));
    expect(coresOf('servers/ticket-shop')).toEqual(new Set(['1']));
    const { stdout } = await end;
    expect(stdout).toContain('pinned: harness on core 0, proxies on 1, servers on 1');
    const run = JSON.parse(readFileSync(join(folder, 'results', 'latest', 'run.json'), 'utf8')) as RunRecord;
    expect(run.placement).toEqual({ harness: [0], proxies: [1], servers: [1] });
    // The outer process is free; the inner one, that sends, is not.
    expect(processes.filter(({ command, cores }) => command.includes('--pin') && cores === '0')).toHaveLength(1);
  },
);

it('refuses to place containers by name', async () => {
  const folder = scratch();
  const { code, stderr } = await portparty(['run', scenarioFile(folder, SHORT), '--pin', '--driver', 'docker'], {
    cwd: folder,
  });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^error: --pin: containers/m);
});
