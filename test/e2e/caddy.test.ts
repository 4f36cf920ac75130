/** Caddy's ways to lose a request, each produced by the real one and recognised with its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord, VariantRecord } from '../../src/record/run-record.js';
import { dockerMissing } from '../helpers/docker.js';
import { drivers, recordEverywhere } from '../helpers/everywhere.js';
import { ownImage } from '../helpers/own-image.js';
import { losses, portparty, record, scenarioFile, scratch } from '../helpers/portparty.js';

/** 300 requests that are all under way at once; each variant changes something. */
const scenario = (rest: string) => `
name: caddy
topology:
  buyers: { kind: client, hosts: 2, to: balancer }
  balancer: { kind: caddy, ports: 30000-30199, to: shop }
  shop: { kind: fixed, serviceTime: 2s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 300ms, rate: 1000/s }]
  process: uniform
  maxLateness: 10s
${rest}
`;

function told({ validity, requests, ...variant }: VariantRecord) {
  expect(validity).toEqual({ valid: true, reasons: [] });
  expect(requests.completed + requests.dropped).toBe(requests.due);
  return { completed: requests.completed, losses: losses({ requests, validity, ...variant }), requests };
}

it('Caddy with 200 source ports and one slow backend carries 200 of 300 at once, on every driver', async () => {
  const runs = Object.entries(await recordEverywhere(scenario('')));
  expect(runs.map(([driver]) => driver)).toEqual(drivers.map(({ name }) => name));
  for (const [driver, { variants }] of runs) {
    const { completed, losses, requests } = told(variants[0]);
    expect({ driver, completed, losses }).toEqual({
      driver,
      completed: 200,
      losses: { 'ports-exhausted@balancer': 100 },
    });
    expect(JSON.stringify(requests.byCause[0].evidence)).toContain('cannot assign requested address');
  }
});

describe('Caddy', () => {
  /** All variants in one run: each costs little then. */
  const variants = new Map<string, ReturnType<typeof told>>();
  const folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
  beforeAll(async () => {
    const file = scenarioFile(
      folder,
      scenario(`variants:
  aftershock:
    topology: { balancer: { maxFails: 1 }, shop: { serviceTime: 4s } }
    traffic: { arrivals: [{ for: 1500ms, rate: 200/s }] }
  retries: { topology: { balancer: { retries: 2 } } }
  waiting:
    topology: { balancer: { backendConnections: 50 }, shop: { serviceTime: 300ms } }
  impatient:
    topology: { balancer: { backendConnections: 10 }, shop: { serviceTime: 2s } }
    # Ten, ten, and thirty: Caddy does not log who waited, which follows from the order of their coming.
    traffic:
      arrivals:
        - { for: 100ms, rate: 100/s }
        - { for: 300ms, rate: 0/s }
        - { for: 100ms, rate: 100/s }
        - { for: 300ms, rate: 0/s }
        - { for: 60ms, rate: 500/s }
      timeout: { response: 5s }
  checks:
    topology:
      balancer: { ports: 30000-30049, healthCheck: { interval: 100ms, fall: 1, rise: 1 } }
      shop: { hosts: 2, serviceTime: 500ms }
    traffic: { arrivals: [{ for: 3s, rate: 300/s }] }
  full-server:
    topology: { balancer: { connectTimeout: 500ms }, shop: { workers: 1, backlog: 1, serviceTime: 1s } }
    traffic: { arrivals: [{ for: 200ms, rate: 100/s }] }
  full-and-left:
    topology: { shop: { workers: 1, backlog: 1, serviceTime: 1s } }
    traffic: { arrivals: [{ for: 200ms, rate: 100/s }], timeout: { response: 1500ms } }
  slow-server:
    topology: { balancer: { responseTimeout: 500ms }, shop: { serviceTime: 2s } }
    traffic: { arrivals: [{ for: 200ms, rate: 100/s }] }
  left:
    traffic: { arrivals: [{ for: 200ms, rate: 100/s }], timeout: { response: 1s } }
  sticky:
    topology: { balancer: { sticky: cookie }, shop: { kind: ticket-shop, hosts: 3, serviceTime: 1ms } }
    traffic: { journey: buy-ticket, thinkTime: 100ms, arrivals: [{ for: 300ms, rate: 100/s }] }`),
    );
    const { stdout, stderr } = await portparty(['run', file, '--out', join(folder, 'results'), '--json', '--quiet']);
    if (!stdout.startsWith('{')) throw new Error(stderr);
    for (const variant of (JSON.parse(stdout) as RunRecord).variants) variants.set(variant.name, told(variant));
  }, 180_000);
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('told to hold a backend down for a failure refuses without trying what comes after the first one', () => {
    const { completed, losses } = variants.get('aftershock')!;
    const {
      'ports-exhausted@balancer': quake,
      'backend-held-down@balancer because ports-exhausted@balancer': aftershock,
      ...others
    } = losses;
    expect({ completed, lost: quake + aftershock, others }).toEqual({ completed: 200, lost: 100, others: {} });
    expect(quake).toBeGreaterThan(0);
    expect(aftershock).toBeGreaterThan(50);
  });

  it('finds no port when it tries again either, and counts one loss for three tries', () => {
    const { completed, losses } = variants.get('retries')!;
    expect({ completed, losses }).toEqual({ completed: 200, losses: { 'ports-exhausted@balancer': 100 } });
  });

  it('lets 250 of 300 wait for one of its 50 connections, and serves them all', () => {
    expect(variants.get('waiting')).toMatchObject({ completed: 300, losses: {} });
  });

  it('whose visitors leave before their turn has come: what they waited for was its queue', () => {
    const { completed, losses } = variants.get('impatient')!;
    const {
      'queue-timeout@balancer': queued,
      'response-timeout@shop because queue-timeout@balancer': late = 0,
      ...others
    } = losses;
    expect({ completed, lost: queued + late, others }).toEqual({ completed: 20, lost: 30, others: {} });
    expect(queued).toBeGreaterThan(0);
  });

  it('whose health checks find no port marks its backends down: what follows is told from the quake', () => {
    const { 'backend-held-down@balancer because ports-exhausted@balancer': aftershock, ...others } =
      variants.get('checks')!.losses;
    expect(aftershock).toBeGreaterThan(0);
    for (const cause of Object.keys(others)) expect(cause).toBe('ports-exhausted@balancer');
  });

  it('that gives up connecting to a full accept queue is accept-queue-full at the backend', () => {
    const { losses } = variants.get('full-server')!;
    expect(losses['accept-queue-full@shop']).toBeGreaterThan(0);
    expect(Object.keys(losses).filter((cause) => !cause.endsWith('@shop'))).toEqual([]);
  });

  it('whose visitor leaves while it connects in vain is the same, although its log does not say how far it was', () => {
    const { losses } = variants.get('full-and-left')!;
    expect(losses['accept-queue-full@shop']).toBeGreaterThan(0);
    expect(Object.keys(losses).filter((cause) => !cause.includes('@shop'))).toEqual([]);
  });

  it.each(['slow-server', 'left'])('%s: an answer that takes too long is the server`s, whoever gives up', (name) => {
    expect(variants.get(name)).toMatchObject({ completed: 0, losses: { 'response-timeout@shop': 20 } });
  });

  it('keeps a visitor with one server by a cookie', () => {
    expect(variants.get('sticky')).toMatchObject({ completed: 90, losses: {} });
  });
});

it('Caddy reloaded, changed, killed and started again has refused or reset who came in between, and serves the others', async () => {
  const run = await record(
    scenario(`events:
  - { at: 500ms, reload: balancer }
  - { at: 800ms, set: { balancer.keepalive: 8, balancer.algorithm: least-connections } }
  - { at: 1200ms, kill: balancer }
  - { at: 1300ms, restart: balancer }`)
      .replace('serviceTime: 2s', 'serviceTime: 20ms')
      .replace('for: 300ms, rate: 1000/s', 'for: 2500ms, rate: 100/s'),
  );
  const { completed, losses } = told(run.variants[0]);
  const { 'refused@balancer': refused, 'reset@balancer': reset = 0, ...others } = losses;
  expect(others, JSON.stringify(run.variants[0].requests.byCause)).toEqual({});
  expect(refused).toBeGreaterThan(0);
  expect(completed + refused + reset).toBe(250);
});

const missing = await dockerMissing();

const MINE = `
{{listen}} {
	log
	reverse_proxy {{backends}} {
		unhealthy_request_count 150
		max_fails 1
	}
}
`;

it.skipIf(missing !== undefined)(
  `Caddy in an image of the user's own, with a Caddyfile of theirs, tells by both which limit refused${missing ? ` (skipped: ${missing})` : ''}`,
  async () => {
    // As Debian's package starts it.
    const image = await ownImage(
      'caddy',
      `FROM plain
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends caddy
CMD ["caddy", "run", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"]
`,
    );
    const folder = scratch();
    writeFileSync(join(folder, 'mine'), MINE);
    const text = scenario('').replace('kind: caddy,', `kind: caddy, image: '${image}', config: mine,`);
    const args = ['run', scenarioFile(folder, text), '--driver', 'docker', '--out', join(folder, 'results'), '--json'];
    const { stdout, stderr } = await portparty(args, { cwd: folder });
    const { completed, losses } = told((JSON.parse(stdout) as RunRecord).variants[0]);
    expect(losses).toEqual({ 'connection-limit@balancer': 300 - completed });
    // Caddy looks at its count before it adds to it: some that come at the same moment pass together.
    expect(completed).toBeGreaterThanOrEqual(150);
    expect(completed).toBeLessThan(200);
    expect(stderr).not.toContain('as it was built');
  },
  300_000,
);
