/** The ticket shop in front of a real Redis, both on this machine. */
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningNode, Sighting } from '../../src/nodes/kind.js';
import { parseSales, readSales, redis } from '../../src/nodes/redis.js';
import { ticketShop } from '../../src/nodes/ticket-shop.js';
import { checkOut, holdSeat, newStock, tally, viewEvent } from '../../src/servers/stock.js';
import type { Host } from '../../src/testbed/host.js';
import type { Endpoint, Plan, PlannedHost } from '../../src/topology/plan.js';
import { freePort } from './free-port.js';
import { type LocalHosts, localHosts } from './local-host.js';
import { randomNumbers } from './random-numbers.js';

const NO_PLAN: Plan = { hosts: [], segments: [], targets: {}, listeners: {}, sources: {} };

let hosts: LocalHosts;
let running: RunningNode[];
let servers: Server[];
beforeEach(() => {
  hosts = localHosts();
  running = [];
  servers = [];
});
afterEach(async () => {
  for (const node of running) await node.stop!();
  await hosts.dispose();
  for (const server of servers) server.close();
});

interface Started {
  host: Host;
  node: RunningNode;
  listen: Endpoint;
}

async function openStore(knobs: object = {}): Promise<Started> {
  const host = hosts.host('db');
  const listen = { host: 'db', address: '127.0.0.9', port: await freePort('127.0.0.9') };
  const common = { plan: NO_PLAN, sources: [], backends: [], userConfig: undefined, sharedDir: hosts.sharedDir };
  const planned = { name: 'db', node: 'db', index: 0 } as PlannedHost;
  const node = await redis.start!({ host, planned, spec: redis.knobs.parse(knobs), listen, ...common });
  return { host, node, listen };
}

async function openShop(store: Endpoint, knobs: object = {}, index = 0): Promise<Started & { url: string }> {
  const host = hosts.host(`shop[${index}]`);
  const address = `127.0.0.${index + 1}`;
  const listen = { host: host.name, address, port: await freePort(address) };
  const node = await ticketShop.start!({
    host,
    planned: { name: host.name, node: 'shop', index } as PlannedHost,
    spec: ticketShop.knobs.parse({ inventory: 'redis', ...knobs }),
    listen,
    backends: [store],
    sources: [],
    userConfig: undefined,
    sharedDir: hosts.sharedDir,
    plan: NO_PLAN,
  });
  running.push(node);
  return { host, node, listen, url: `http://${address}:${listen.port}` };
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
  cookie: string;
  storeError: string | null;
}

async function ask(url: string, method: 'GET' | 'POST', cookie = '', id = ''): Promise<Answer> {
  const response = await fetch(url, { method, headers: { 'x-request-id': id, cookie } });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie,
    storeError: response.headers.get('x-store-error'),
  };
}

async function logOf({ host, node }: Started): Promise<Sighting[]> {
  await node.stop!();
  return (await ticketShop.readLogs!(host)).sightings;
}

/** A server that is no Redis: it takes connections and does with them what it is told. */
async function strangeStore(taken: (connection: Socket) => void): Promise<Endpoint> {
  const server = createServer((connection) => {
    connection.on('error', () => {});
    taken(connection);
  });
  servers.push(server);
  const port = await freePort('127.0.0.9');
  await new Promise<void>((listening) => server.listen(port, '127.0.0.9', listening));
  return { host: 'db', address: '127.0.0.9', port };
}

describe.each(['per-request', 'pooled: 2'])('shops that share a Redis (%s)', (pool) => {
  it('sell from one stock, know each other’s sessions, and oversell nothing', async () => {
    const tickets = 25;
    const store = await openStore();
    const shops: (Started & { url: string })[] = [];
    for (const index of [0, 1]) shops.push(await openShop(store.listen, { tickets, workers: 2, pool }, index));
    const statuses = await Promise.all(
      Array.from({ length: 60 }, async (_, visitor) => {
        const [first, second] = [shops[visitor % 2].url, shops[(visitor + 1) % 2].url];
        const { cookie } = await ask(`${first}/event`, 'GET');
        const held = await ask(`${second}/seats`, 'POST', cookie);
        return held.status === 201 ? (await ask(`${first}/checkout`, 'POST', cookie)).status : held.status;
      }),
    );
    expect(statuses.filter((status) => status === 200)).toHaveLength(tickets);
    expect(statuses.filter((status) => status === 409)).toHaveLength(60 - tickets);
    expect((await ask(`${shops[0].url}/stats`, 'GET')).body).toEqual({ stock: tickets, sold: tickets, held: 0 });
    for (const { node } of shops) await node.stop!();
    await store.node.stop!();
    expect(await readSales(store.host, 'shop')).toBe(tickets);
    expect(await readSales(store.host, 'another shop')).toBe(0);
  });
});

describe('the script in Redis and the stock in memory', () => {
  it.each([0, 1, 2, 3])('answer the same to any order of steps (seed %i)', async (seed) => {
    const random = randomNumbers(seed);
    const total = random(6);
    // A hold that ends at once, or one that outlasts the test: no clock decides what is expected.
    const holdMs = random(2) === 0 ? 0 : 1_000_000;
    const stock = newStock(total, holdMs);
    const store = await openStore();
    running.push(store.node);
    const { url } = await openShop(store.listen, { tickets: total, holdTime: `${holdMs}ms`, pool: 'pooled: 1' });
    const visitors: string[] = [];
    for (let step = 0; step < 120; step++) {
      if (visitors.length < 8 && random(4) === 0) {
        const { cookie, body } = await ask(`${url}/event`, 'GET');
        visitors.push(cookie);
        expect(body.remaining).toBe(viewEvent(stock, 0, undefined, cookie).remaining);
      }
      const cookie = visitors[random(visitors.length)] ?? 'session=of-nobody';
      const bought = random(3) === 0;
      const { body } = await ask(`${url}/${bought ? 'checkout' : 'seats'}`, 'POST', cookie);
      const expected = bought ? checkOut(stock, 0, cookie) : holdSeat(stock, 0, cookie);
      expect(body).toEqual('refused' in expected ? { error: WORDS[expected.refused] } : expected);
      expect((await ask(`${url}/stats`, 'GET')).body).toEqual(tally(stock, 0));
    }
  });

  const WORDS = {
    'session-lost': 'session lost',
    'sold-out': 'sold out',
    'already-bought': 'already bought',
    'hold-expired': 'hold expired',
    'nothing-held': 'no seat held',
  };
});

describe('a shop whose visitors begin their session with the seat', () => {
  it('gives it to as many as there are seats, with a session that can pay', async () => {
    const store = await openStore();
    running.push(store.node);
    const { url } = await openShop(store.listen, { tickets: 1, sessionAt: 'seat' });
    expect((await ask(`${url}/event`, 'GET')).body.remaining).toBe(1);
    const held = await ask(`${url}/seats`, 'POST');
    expect(held).toMatchObject({ status: 201, body: { hold: 1 }, cookie: expect.stringMatching(/^session=/) });
    expect((await ask(`${url}/seats`, 'POST')).status).toBe(409);
    expect(await ask(`${url}/checkout`, 'POST', held.cookie)).toMatchObject({ status: 200, body: { ticket: 1 } });
    expect((await ask(`${url}/event`, 'GET')).body.remaining).toBe(0);
  });
});

describe('the shop’s log', () => {
  it('names the connection of each request: a new one each time, or the same one again', async () => {
    const store = await openStore();
    running.push(store.node);
    const to = `${store.listen.address}:${store.listen.port}`;
    for (const [index, pool, ports] of [
      [0, 'per-request', 3],
      [1, 'pooled: 4', 1],
    ] as const) {
      const shop = await openShop(store.listen, { pool }, index);
      for (const id of ['r.1', 'r.2', 'r.3']) await ask(`${shop.url}/event`, 'GET', '', id);
      const tries = (await logOf(shop)).flatMap((sighting) => sighting.tries);
      expect(tries).toMatchObject(Array(3).fill({ to, result: 'answered' }));
      expect(new Set(tries.map(({ from }) => from)).size).toBe(ports);
      expect(tries.map(({ connectMs }) => connectMs! > 0)).toEqual([true, ports === 3, ports === 3]);
    }
  });

  it.each([
    ['refused', 'nobody listens', undefined],
    ['reset', 'the store resets', (one: Socket) => one.once('data', () => one.resetAndDestroy())],
    ['closed-early', 'the store closes', (one: Socket) => one.once('data', () => one.end())],
    [
      'failed',
      'the store speaks another language',
      (one: Socket) => one.once('data', () => one.end('HTTP/1.1 400\r\n')),
    ],
    ['response-timeout', 'the store is silent', () => {}],
    ['backend-limit', 'the store has too many', (one: Socket) => one.end('-ERR max number of clients reached\r\n')],
    ['answered', 'the store has no memory left', (one: Socket) => one.once('data', () => one.write('-OOM no\r\n'))],
  ])('says %s where %s', async (result, _, taken) => {
    const store = taken
      ? await strangeStore(taken)
      : { host: 'db', address: '127.0.0.9', port: await freePort('127.0.0.9') };
    const shop = await openShop(store, { responseTimeout: '100ms' });
    expect(await ask(`${shop.url}/event`, 'GET', '', 'r.1')).toMatchObject({ status: 500, storeError: result });
    const [sighting] = await logOf(shop);
    expect(sighting).toMatchObject({ id: 'r.1', status: 500, tries: [{ to: `127.0.0.9:${store.port}`, result }] });
    expect(sighting.refusal).toBeUndefined();
  });

  it('tells who waited for a connection of the pool, and for how long', async () => {
    const store = await strangeStore(() => {});
    const shop = await openShop(store, { pool: 'pooled: 1', queueTimeout: '100ms', responseTimeout: '300ms' });
    const answers = await Promise.all(['r.1', 'r.2', 'r.3'].map((id) => ask(`${shop.url}/event`, 'GET', '', id)));
    expect(answers.map(({ storeError }) => storeError).sort()).toEqual([
      'queue-timeout',
      'queue-timeout',
      'response-timeout',
    ]);
    const waited = (await logOf(shop)).filter(({ queuedMs }) => queuedMs !== undefined);
    expect(waited).toHaveLength(2);
    for (const { queuedMs, tries } of waited) {
      expect(queuedMs).toBeGreaterThanOrEqual(100);
      expect(tries).toMatchObject([{ to: undefined, result: 'queue-timeout' }]);
    }
  });

  it('tells how far each request had come when the shop ended', async () => {
    const store = await strangeStore(() => {});
    const shop = await openShop(store, { pool: 'pooled: 1', responseTimeout: '1m' });
    const left = ['r.1', 'r.2'].map((id) => ask(`${shop.url}/event`, 'GET', '', id).catch(() => undefined));
    await new Promise<void>((taken) => servers[0].once('connection', (one) => one.once('data', () => taken())));
    // The second one has been read as well once a third is answered without the store.
    await ask(`${shop.url}/seats`, 'POST', '', 'r.3');
    const results = (await logOf(shop)).map(({ id, tries }) => [id, tries[0]?.result]);
    expect(Object.fromEntries(results)).toMatchObject({ 'r.1': 'response-timeout', 'r.2': 'queue-timeout' });
    await Promise.all(left);
  });
});

describe('a pool', () => {
  it('gets over a store that closes idle connections and one that starts again', async () => {
    const store = await openStore();
    const shop = await openShop(store.listen, { pool: 'pooled: 1' });
    expect((await ask(`${shop.url}/event`, 'GET')).status).toBe(200);
    await store.node.stop!();
    expect(await ask(`${shop.url}/event`, 'GET')).toMatchObject({ status: 500, storeError: 'refused' });
    const { address, port } = store.listen;
    const common = { plan: NO_PLAN, sources: [], backends: [], userConfig: undefined, sharedDir: hosts.sharedDir };
    const planned = { name: 'db', node: 'db', index: 0 } as PlannedHost;
    const listen = { host: 'db', address, port };
    running.push(await redis.start!({ host: store.host, planned, spec: redis.knobs.parse({}), listen, ...common }));
    expect((await ask(`${shop.url}/event`, 'GET')).status).toBe(200);
  });
});

describe('the numbers of a store', () => {
  it('are read from what redis-cli prints', () => {
    expect(parseSales('1) "shop:holds"\n2) "12"\n3) "shop:sold"\n4) "7"\n')).toEqual(
      new Map([
        ['shop:holds', 12],
        ['shop:sold', 7],
      ]),
    );
    expect(parseSales('(empty array)\n').size).toBe(0);
  });
});
