/** What a run on the docker driver leaves behind when it is interrupted or killed: nothing, by itself or by the next one. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { docker, dockerMissing, namesOf } from '../helpers/docker.js';
import { canLowerRights } from '../helpers/ordinary-user.js';
import {
  finished,
  portparty,
  type StartOptions,
  scenarioFile,
  scratch,
  start,
  underWay,
} from '../helpers/portparty.js';

const missing = await dockerMissing();
const SOCKET = '/var/run/docker.sock';

/** Every kind of thing: containers, networks, a volume, a wire. */
const LONG = `
name: long
topology:
  buyers: { kind: client, to: edge, link: { loss: 1% } }
  edge: { kind: nat, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 60s, rate: 20/s }]
  process: uniform
  maxLateness: 10s
`;
const SHORT = LONG.replace('for: 60s', 'for: 100ms').replace(', link: { loss: 1% }', '');

/** A run in a folder of its own. */
function begin(text: string, options: StartOptions = {}) {
  const folder = scratch();
  const args = ['run', scenarioFile(folder, text), '--out', join(folder, 'results'), '--driver', 'docker'];
  const child = start(args, { cwd: folder, ...options });
  const record = () => JSON.parse(readFileSync(join(folder, 'results', 'latest', 'run.json'), 'utf8')) as RunRecord;
  return { child, pid: child.pid!, folder, end: finished(child), record };
}

/** A run that is killed while it is under way. */
async function killed() {
  const run = begin(LONG);
  await underWay(run.child);
  run.child.kill('SIGKILL');
  await run.end;
  return run;
}

/** Reapers that run, by name. */
async function reapers(): Promise<string[]> {
  const filters = { label: ['org.testcontainers.ryuk=true'] };
  return (await (await docker()).listContainers({ filters })).map(({ Id }) => Id);
}

describe.skipIf(missing !== undefined)(`a docker run${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it.runIf(canLowerRights() && existsSync(SOCKET))(
    'is open to an ordinary user of the socket`s group, through sidecars',
    async () => {
      const { gid } = statSync(SOCKET);
      const run = begin(SHORT, { group: gid });
      const { code, stderr } = await run.end;
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
      expect(run.record().variants[0].requests).toMatchObject({ due: 2, completed: 2 });
      expect(await namesOf(run.pid)).toEqual([]);
    },
  );

  it.runIf(existsSync(SOCKET))('reaches a daemon over TCP, as a remote one, through sidecars', async () => {
    const proxy = createServer((client) => {
      const daemon = connect(SOCKET);
      client.pipe(daemon).pipe(client);
      for (const end of [client, daemon]) end.on('error', () => {});
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const { port } = proxy.address() as AddressInfo;
    const run = begin(SHORT, { env: { DOCKER_HOST: `tcp://127.0.0.1:${port}` } });
    const { code, stderr } = await run.end;
    proxy.close();
    expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    expect(run.record().variants[0].requests).toMatchObject({ due: 2, completed: 2 });
    expect(await namesOf(run.pid)).toEqual([]);
  });

  it('that ends in order leaves nothing, its reaper included', async () => {
    const before = await reapers();
    const run = begin(SHORT);
    expect((await run.end).code).toBe(0);
    expect(await namesOf(run.pid)).toEqual([]);
    await expect
      .poll(async () => (await reapers()).filter((one) => !before.includes(one)), { timeout: 10_000 })
      .toEqual([]);
  });

  it.each(['SIGINT', 'SIGTERM'] as const)(
    'ended by %s keeps its record, exits 130 and leaves nothing',
    async (signal) => {
      const run = begin(LONG);
      await underWay(run.child);
      expect((await namesOf(run.pid)).length).toBeGreaterThan(5);
      run.child.kill(signal);
      expect((await run.end).code).toBe(130);
      expect(run.record()).toMatchObject({ status: 'interrupted', driver: 'docker' });
      expect(await namesOf(run.pid)).toEqual([]);
    },
  );

  it('interrupted while it is being built leaves nothing', async () => {
    const run = begin(LONG);
    await expect.poll(async () => (await namesOf(run.pid)).length, { timeout: 20_000, interval: 5 }).toBeGreaterThan(0);
    run.child.kill('SIGINT');
    expect((await run.end).code).toBe(130);
    expect(await namesOf(run.pid)).toEqual([]);
  });

  it('interrupted twice ends at once, and the reaper removes the rest', async () => {
    const run = begin(LONG);
    await underWay(run.child);
    run.child.kill('SIGINT');
    run.child.kill('SIGTERM');
    expect((await run.end).code).toBe(130);
    await expect.poll(() => namesOf(run.pid), { timeout: 40_000, interval: 200 }).toEqual([]);
  });

  it('that is killed is removed by the reaper, which is gone then as well', async () => {
    const before = await reapers();
    const run = await killed();
    expect((await namesOf(run.pid)).length).toBeGreaterThan(5);
    expect(run.record().status).toBe('interrupted');
    await expect.poll(() => namesOf(run.pid), { timeout: 40_000, interval: 200 }).toEqual([]);
    await expect
      .poll(async () => (await reapers()).filter((one) => !before.includes(one)), { timeout: 10_000 })
      .toEqual([]);
  });

  it('that is killed is removed by the next run, which says so', async () => {
    const run = await killed();
    const names = await namesOf(run.pid);
    const next = begin(SHORT);
    const { code, stderr } = await next.end;
    expect(code).toBe(0);
    expect(stderr).toMatch(/removed the container portparty-\S+-shop of a run that was killed/);
    expect(names.length).toBeGreaterThan(5);
    expect(await namesOf(run.pid)).toEqual([]);
    expect(await namesOf(next.pid)).toEqual([]);
  });

  it('that is killed is removed by clean, which leaves a run that is under way alone', async () => {
    // As long as it is there, their common reaper does not reap.
    const other = begin(LONG);
    await underWay(other.child);
    const run = await killed();
    const names = (await namesOf(run.pid)).map((name) => name.replace(/^\//, ''));
    expect(names.length).toBeGreaterThan(5);
    const look = await portparty(['clean', '--dry-run'], { cwd: run.folder });
    for (const name of names) expect(look.stdout).toContain(name);
    expect((await namesOf(run.pid)).length).toBe(names.length);

    const { code, stdout } = await portparty(['clean'], { cwd: run.folder });
    expect(code).toBe(0);
    for (const name of names) expect(stdout).toContain(name);
    expect(await namesOf(run.pid)).toEqual([]);
    expect((await namesOf(other.pid)).length).toBeGreaterThan(5);
    other.child.kill('SIGINT');
    expect((await other.end).code).toBe(130);
  });
});
