import { expect, test } from 'vitest';
import type { ScenarioVariant, Traffic } from '../../src/scenario/scenario.js';
import type { Plan } from '../../src/topology/plan.js';
import { chooseEngine, makeTrafficPlan } from '../../src/traffic/traffic-plan.js';

const traffic: Traffic = {
  from: ['east', 'west'],
  journey: 'buy-ticket',
  thinkTimeMs: 1000,
  holdForMs: 5000,
  connections: { mode: 'per-visitor' },
  close: 'client',
  arrivals: [{ forMs: 1000, rate: { from: 100, to: 100 } }],
  process: 'poisson',
  timeout: { connectMs: 3000, responseMs: 5000 },
  retry: { attempts: 1, backoffMs: 500 },
  maxLatenessMs: 10,
};

const shops = [
  { host: 'shop[0]', address: '198.18.1.1', port: 8080 },
  { host: 'shop[1]', address: '198.18.1.2', port: 8080 },
];
const names = ['west', 'east[0]', 'east[1]', 'shop[0]', 'shop[1]'];
const plan = {
  hosts: names.map((name) => ({ name, node: name.split('[')[0], spec: { kind: 'client' } })),
  targets: { west: shops, 'east[0]': shops, 'east[1]': shops },
} as unknown as Plan;
const hosts = new Map(names.map((name) => [name, { netns: `/ns/${name}` }]));
const options = { seed: 1, idPrefix: 'v0.t1' };

const make = (changes: Partial<Traffic> = {}, running: Map<string, { netns: string | null }> = hosts) =>
  makeTrafficPlan({ name: 'v', traffic: { ...traffic, ...changes } } as ScenarioVariant, plan, running, options);

test('clients are the hosts of the nodes that traffic comes from, each with its namespace and targets', () => {
  expect(make().clients).toEqual([
    { host: 'east[0]', netns: '/ns/east[0]', targets: shops },
    { host: 'east[1]', netns: '/ns/east[1]', targets: shops },
    { host: 'west', netns: '/ns/west', targets: shops },
  ]);
});

test('to a forward proxy clients say which server they want, each proxy and each server in turn', () => {
  const proxies = [
    { host: 'proxy[0]', address: '198.18.2.1', port: 80 },
    { host: 'proxy[1]', address: '198.18.2.2', port: 80 },
  ];
  const behind = {
    hosts: [
      { name: 'west', node: 'west', spec: { kind: 'client' } },
      ...proxies.map(({ host }) => ({ name: host, node: 'proxy', spec: { kind: 'squid', mode: 'forward' } })),
    ],
    targets: { west: proxies, 'proxy[0]': shops, 'proxy[1]': shops },
  } as unknown as Plan;
  const variant = { name: 'v', traffic: { ...traffic, from: ['west'] } } as ScenarioVariant;
  const [{ targets }] = makeTrafficPlan(variant, behind, hosts, options).clients;
  expect(targets.map(({ host, origin }) => [host, origin])).toEqual([
    ['proxy[0]', '198.18.1.1:8080'],
    ['proxy[1]', '198.18.1.1:8080'],
    ['proxy[0]', '198.18.1.2:8080'],
    ['proxy[1]', '198.18.1.2:8080'],
  ]);
  expect(targets[3]).toMatchObject({ address: '198.18.2.2', port: 80 });
});

test('variants with the same arrivals meet the same visitors', () => {
  expect(make({ connections: { mode: 'per-request' } }).arrivalsNs).toEqual(make().arrivalsNs);
});

test('time-outs, retries, journey and think time are those of the scenario', () => {
  expect(make()).toMatchObject({
    connectTimeoutMs: 3000,
    responseTimeoutMs: 5000,
    retry: { attempts: 1, backoffMs: 500 },
    thinkTimeMs: 1000,
    holdForMs: undefined,
    closedLoop: undefined,
    idPrefix: 'v0.t1',
  });
  expect(make().steps).toHaveLength(3);
  expect(make({ journey: 'hold' }).holdForMs).toBe(5000);
});

test('phases of connections are closed loop and plan no arrivals', () => {
  const closed = make({ arrivals: [{ forMs: 1000, connections: 50 }] });
  expect(closed.closedLoop).toEqual([{ forMs: 1000, connections: 50 }]);
  expect(closed.arrivalsNs).toHaveLength(0);
});

test('a client host that does not run is an error of the testbed, never traffic from elsewhere', () => {
  expect(() => make({}, new Map())).toThrow(/east\[0\] is not running/);
});

test.each([
  [{ mode: 'per-request' }, false, 'socket'],
  [{ mode: 'per-visitor' }, false, 'socket'],
  [{ mode: 'pooled', size: 4 }, false, 'undici'],
  [{ mode: 'per-request' }, true, 'autocannon'],
  [{ mode: 'pooled', size: 4 }, true, 'autocannon'],
] as const)('the engine for %o, closed loop %s, is %s', (connections, closedLoop, engine) => {
  expect(chooseEngine(connections, closedLoop)).toBe(engine);
});
