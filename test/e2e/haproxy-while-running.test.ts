/** HAProxy loads its configuration again, takes over knobs, and is killed afterwards, while visitors come; and what weights do to shares. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

type Run = Awaited<ReturnType<typeof record>>;

const scenario = (rest: string) => `
name: while-running
topology:
  buyers: { kind: client, to: proxy }
  proxy: { kind: haproxy, to: shop }
  shop: { kind: fixed, hosts: 2, serviceTime: 20ms }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 4s, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 5s, response: 5s }
${rest}`;

function lossesOf(run: Run, name: string) {
  const variant = run.variants.find((one) => one.name === name)!;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  return losses(variant);
}

/** The numbers of the visitors whose request each host of the shop has answered. */
function servedBy(run: Run, variant: string): number[][] {
  const logs = join(run.folder, 'logs', `${variant}-1`);
  const shops = readdirSync(logs).filter((host) => host.startsWith('shop'));
  return shops
    .sort()
    .map((host) =>
      [...readFileSync(join(logs, host, 'requests.log'), 'utf8').matchAll(/"id":"\w+\.\w+\.(\d+)\./g)].map(
        ([, visitor]) => Number(visitor),
      ),
    );
}

const shares = (served: number[][]) => served.map(({ length }) => length);
/** Of the last visitors only: those who came long after every event. */
const lastShares = (served: number[][]) => shares(served.map((visitors) => visitors.filter((number) => number >= 300)));

it('a reload loses nothing of what comes on new connections, and what is under way ends in the old worker', async () => {
  const run = await record(
    scenario(`
variants:
  quick: { events: [{ at: 500ms, reload: proxy }, { at: 1s, reload: proxy }, { at: 1500ms, set: { proxy.retries: 1 } }] }
  slow:
    topology: { shop: { serviceTime: 2s } }
    events: [{ at: 1s, reload: proxy }]
  queued:
    topology: { proxy: { backendConnections: 5, queueTimeout: 30s }, shop: { serviceTime: 100ms } }
    traffic: { arrivals: [{ for: 1s, rate: 150/s }] }
    events: [{ at: 800ms, reload: proxy }]
  unanswered:
    topology: { shop: { serviceTime: 60s } }
    traffic: { arrivals: [{ for: 2s, rate: 100/s }], timeout: { response: 1s } }
    events: [{ at: 1s, reload: proxy }]
`),
  );
  for (const name of ['quick', 'slow', 'queued']) expect(lossesOf(run, name)).toEqual({});
  expect(lossesOf(run, 'unanswered')).toEqual({ 'response-timeout@shop': 200 });
  // Each request is in the log once, whichever worker had it, those that were cut off at the end included.
  for (const [name, requests] of Object.entries({ quick: 400, slow: 400, queued: 150, unanswered: 200 })) {
    const folder = join(run.folder, 'logs', `${name}-1`, 'proxy');
    const ids = [...readFileSync(join(folder, 'access.log'), 'utf8').matchAll(/\{"id":"(\d[^"]*)"/g)];
    expect(new Set(ids.map(([, id]) => id)).size).toBe(requests);
    expect(ids).toHaveLength(requests);
    const workers = name === 'quick' ? 4 : 2;
    expect(readFileSync(join(folder, 'haproxy-state.txt'), 'utf8').match(/^Pid: /gm)).toHaveLength(workers);
  }
  expect(readFileSync(join(run.folder, 'logs/quick-1/proxy/haproxy.cfg'), 'utf8')).toContain('retries 1');
});

it('that dies after a reload is dead, and what has been logged until then is told', async () => {
  const run = await record(
    scenario(`events:
  - { at: 500ms, reload: proxy }
  - { at: 1500ms, kill: proxy }
  - { at: 2s, restart: proxy }
  - { at: 2500ms, reload: proxy }
`),
  );
  const { 'refused@proxy': refused, 'reset@proxy': reset = 0, ...others } = lossesOf(run, 'default');
  expect(others).toEqual({});
  expect(refused).toBeGreaterThan(0);
  const [{ requests }] = run.variants;
  expect(requests.completed + refused + reset).toBe(400);
  expect(run.variants[0].perTrial[0].events?.map(({ outcome }) => outcome)).toEqual(['done', 'done', 'done', 'done']);
});

it('takes over a limit that is set while it runs, and tells of each worker by its own', async () => {
  const run = await record(
    scenario(`
variants:
  limited:
    topology: { proxy: { maxConnections: 200, backlog: 1000 }, shop: { serviceTime: 300ms } }
    traffic: { timeout: { response: 1500ms }, arrivals: [{ for: 3s, rate: 100/s }] }
    events: [{ at: 500ms, set: { proxy.maxConnections: 5 } }]
`),
  );
  expect(Object.keys(lossesOf(run, 'limited'))).toEqual(['connection-limit@proxy']);
});

it('weights share out the requests, to the unit where a product takes turns', async () => {
  const run = await record(
    scenario(`
variants:
  nginx: { topology: { proxy: { kind: nginx, weights: [3, 1] } } }
  haproxy: { topology: { proxy: { weights: [3, 1] } } }
  squid: { topology: { proxy: { kind: squid, weights: [3, 1] } } }
  varnish: { topology: { proxy: { kind: varnish, algorithm: random, weights: [0, 1] } } }
`).replace('for: 4s, rate: 100/s', 'for: 1s, rate: 400/s'),
  );
  for (const { name } of run.variants) expect(lossesOf(run, name)).toEqual({});
  expect(shares(servedBy(run, 'nginx'))).toEqual([300, 100]);
  expect(shares(servedBy(run, 'haproxy'))).toEqual([300, 100]);
  // Squid's first look at its peers may begin its turns in the middle of a round.
  expect(Math.abs(shares(servedBy(run, 'squid'))[1] - 100)).toBeLessThanOrEqual(2);
  expect(shares(servedBy(run, 'varnish'))).toEqual([0, 400]);
});

it('weights that are set while visitors come move the shares', async () => {
  const run = await record(
    scenario(`
variants:
  nginx: { topology: { proxy: { kind: nginx, weights: [3, 1] } }, events: [{ at: 500ms, set: { proxy.weights: [1, 9] } }] }
  haproxy: { topology: { proxy: { weights: [3, 1] } }, events: [{ at: 500ms, set: { proxy.weights: [1, 9] } }] }
  squid: { topology: { proxy: { kind: squid, weights: [3, 1] } }, events: [{ at: 500ms, set: { proxy.weights: [1, 9] } }] }
  varnish: { topology: { proxy: { kind: varnish, algorithm: random } }, events: [{ at: 500ms, set: { proxy.weights: [0, 1] } }] }
  drained: { topology: { proxy: { keepalive: 4 } }, events: [{ at: 500ms, set: { proxy.weights: [0, 1] } }] }
`),
  );
  for (const product of ['nginx', 'haproxy', 'squid']) {
    const served = servedBy(run, product);
    // A window may begin and end in the middle of a round, and neighbours overtake each other: first by the old weights, then by the new.
    const early = served[0].filter((visitor) => visitor < 40).length;
    expect(Math.abs(early - 30)).toBeLessThanOrEqual(2);
    expect(Math.abs(lastShares(served)[1] - 90)).toBeLessThanOrEqual(2);
  }
  for (const name of ['haproxy', 'varnish', 'drained']) expect(lossesOf(run, name)).toEqual({});
  for (const name of ['varnish', 'drained']) expect(lastShares(servedBy(run, name))).toEqual([0, 100]);
}, 120_000);
