/** Faults of the daemon and around it: exit 3 with its own words, the step and the remedy, soon, and nothing left behind. */
import { appendFileSync, cpSync, existsSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { docker, dockerMissing, namesOf, thingsOf } from '../helpers/docker.js';
import { drivers } from '../helpers/everywhere.js';
import { canLowerRights } from '../helpers/ordinary-user.js';
import { finished, MAIN, type StartOptions, scenarioFile, scratch, start, underWay } from '../helpers/portparty.js';
import type { Way } from '../helpers/ways.js';

const missing = await dockerMissing();
const SOCKET = '/var/run/docker.sock';

const CHAIN = `
name: faults
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 60s, rate: 20/s }]
  process: uniform
  maxLateness: 10s
`;
const SHORT = CHAIN.replace('for: 60s', 'for: 100ms');

function begin(text: string, options: Omit<StartOptions, 'cwd'> = {}) {
  const folder = scratch();
  const args = ['run', scenarioFile(folder, text), '--out', join(folder, 'results'), '--driver', 'docker'];
  const child = start(args, { cwd: folder, ...options });
  return { child, pid: child.pid!, end: finished(child) };
}

describe('a daemon that cannot be had', () => {
  it.each([
    ['a port where nobody listens', 'tcp://127.0.0.1:1', 'ECONNREFUSED'],
    ['a socket that is not there', 'unix:///nowhere/docker.sock', 'ENOENT'],
  ])('is told: %s', async (_, DOCKER_HOST, words) => {
    const { code, stderr } = await begin(SHORT, { env: { DOCKER_HOST } }).end;
    expect(code).toBe(3);
    expect(stderr).toContain(DOCKER_HOST);
    expect(stderr).toContain(words);
    expect(stderr).toMatch(/hint: .*DOCKER_HOST/);
  });

  it.runIf(canLowerRights() && existsSync(SOCKET) && (statSync(SOCKET).mode & 0o002) === 0)(
    'is told: a socket that this user may not use',
    async () => {
      const { code, stderr } = await begin(SHORT, { asUser: true }).end;
      expect(code).toBe(3);
      expect(stderr).toMatch(/EACCES|permission denied/i);
      expect(stderr).toContain('group docker');
    },
  );
});

it('a daemon that never answers is told, and not waited for', async () => {
  const silent = createServer(() => {});
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  const { port } = silent.address() as { port: number };
  try {
    const DOCKER_HOST = `tcp://127.0.0.1:${port}`;
    const { code, stderr } = await begin(SHORT, { env: { DOCKER_HOST } }).end;
    expect(code).toBe(3);
    expect(stderr).toContain(`${DOCKER_HOST} failed: it gave no answer`);
  } finally {
    silent.close();
  }
});

const ways = drivers.filter(({ driver }) => driver === 'docker');

describe.skipIf(missing !== undefined)(`in the middle of a run${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const victims = ways.flatMap((way): [string, string, string, Way][] => {
    const suffixes =
      way.env.PORTPARTY_DOCKER_TRAFFIC === 'container' ? ['shop', 'edge', 'buyers-agent'] : ['shop', 'buyers'];
    return suffixes.map((suffix) => [way.name, suffix, suffix.replace('-agent', ''), way]);
  });

  it.each(victims)(
    '%s: a container that is killed, %s, ends the run with the host`s name',
    async (_way, suffix, host, { env }) => {
      const { child, pid, end } = begin(CHAIN, { env });
      await underWay(child);
      const { containers } = await thingsOf(pid);
      const victim = containers.find(({ Names }) => Names[0].endsWith(`-${suffix}`))!;
      await (await docker()).getContainer(victim.Id).kill();
      // The burst has 60 s to go.
      const { code, stderr } = await end;
      expect(code).toBe(3);
      expect(stderr).toMatch(new RegExp(`error: .*\\b${host}\\b`));
      expect(await namesOf(pid)).toEqual([]);
    },
    40_000,
  );
});

describe.skipIf(missing !== undefined)(`what a daemon cannot give${missing ? ` (skipped: ${missing})` : ''}`, () => {
  it('more open files than it has are refused by node and knob, or granted', async () => {
    const text = SHORT.replace('shop: { kind: fixed }', 'shop: { kind: fixed, openFiles: 1000000 }');
    const { pid, end } = begin(text);
    const { code, stderr } = await end;
    if (code !== 0) {
      expect(code).toBe(3);
      expect(stderr).toContain('topology.shop.openFiles');
      expect(stderr).toContain('1000000 open files');
      expect(stderr).toContain('hint: ');
    }
    expect(await namesOf(pid)).toEqual([]);
  });

  it('an image that cannot be built is told with its name, the step, and the builder`s own words', async () => {
    // The same program, with a line in one of its Dockerfiles that fails.
    const copy = scratch();
    const [root, dist] = [join(MAIN, '../../..'), join(MAIN, '../..')];
    cpSync(dist, join(copy, 'dist'), { recursive: true });
    cpSync(join(root, 'docker'), join(copy, 'docker'), { recursive: true });
    cpSync(join(root, 'package.json'), join(copy, 'package.json'));
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    appendFileSync(join(copy, 'docker/nginx/Dockerfile'), 'RUN echo the disk is full >&2 && exit 28\n');
    const { pid, end } = begin(SHORT, { main: join(copy, 'dist/cli/main.js') });
    const { code, stderr } = await end;
    expect(code).toBe(3);
    expect(stderr).toMatch(/^error: .*nginx/m);
    expect(stderr).toContain('RUN echo the disk is full');
    expect(stderr).toMatch(/the disk is full$|returned a non-zero code: 28/m);
    expect(await namesOf(pid)).toEqual([]);
  }, 120_000);

  it('a sysctl that its kernel has not is refused by host and name', async () => {
    const text = SHORT.replace('shop: { kind: fixed }', 'shop: { kind: fixed, sysctls: { net.ipv4.nonsense: 1 } }');
    const { pid, end } = begin(text);
    const { code, stderr } = await end;
    expect(code).toBe(3);
    expect(stderr).toMatch(/shop: cannot set net\.ipv4\.nonsense = 1: this kernel has no such setting/);
    expect(await namesOf(pid)).toEqual([]);
  });

  it('addresses that other networks have are left to them', async () => {
    const api = await docker();
    const Name = 'portparty-test-in-the-way';
    // As long as another test is at work on this daemon its addresses are taken.
    let network: Awaited<ReturnType<typeof api.createNetwork>> | undefined;
    await expect
      .poll(
        async () => {
          const IPAM = { Driver: 'default', Config: [{ Subnet: '198.18.0.0/15' }] };
          network = await api.createNetwork({ Name, IPAM }).catch(() => undefined);
          return network !== undefined;
        },
        { timeout: 60_000, interval: 500 },
      )
      .toBe(true);
    try {
      const { pid, end } = begin(SHORT);
      const { code, stderr } = await end;
      expect(code).toBe(3);
      expect(stderr).toContain('198.18.0.0/15');
      expect(stderr).toMatch(/hint: .*docker network ls/);
      expect(await namesOf(pid)).toEqual([]);
    } finally {
      await network!.remove();
    }
  }, 120_000);
});
