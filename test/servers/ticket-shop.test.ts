import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fixed } from '../../src/nodes/fixed.js';
import type { RunningNode } from '../../src/nodes/kind.js';
import { readTickets, ticketShop } from '../../src/nodes/ticket-shop.js';
import type { Host } from '../../src/testbed/host.js';
import type { Plan, PlannedHost } from '../../src/topology/plan.js';
import { freePort } from './free-port.js';
import { type LocalHosts, localHosts } from './local-host.js';
import { eventually } from './running-fixed.js';

let hosts: LocalHosts;
let running: RunningNode[];
beforeEach(() => {
  hosts = localHosts();
  running = [];
});
afterEach(async () => {
  for (const node of running) await node.stop!();
  await hosts.dispose();
});

/** A shop looks at nothing in it. */
const NO_PLAN: Plan = { hosts: [], segments: [], targets: {}, listeners: {}, sources: {} };
const planned = (host: Host, index: number) => ({ name: host.name, node: host.node, index }) as PlannedHost;

interface Shop {
  host: Host;
  node: RunningNode;
  url: string;
}

/** Starts one host of a shop; 127.0.0.1, 127.0.0.2, … are its hosts. */
async function openShop(index: number, knobs: object = {}, sharedDir = hosts.sharedDir): Promise<Shop> {
  const host = hosts.host(`shop[${index}]`);
  const address = `127.0.0.${index + 1}`;
  const port = await freePort(address);
  const node = await ticketShop.start!({
    host,
    planned: planned(host, index),
    spec: ticketShop.knobs.parse(knobs),
    listen: { host: host.name, address, port },
    backends: [],
    sources: [],
    userConfig: undefined,
    plan: NO_PLAN,
    sharedDir,
  });
  running.push(node);
  return { host, node, url: `http://${address}:${port}` };
}

interface Answer {
  status: number;
  body: Record<string, unknown>;
  cookie: string | undefined;
  sessionLost: boolean;
}

async function ask(url: string, method: 'GET' | 'POST', cookie?: string, id = ''): Promise<Answer> {
  const headers: Record<string, string> = { 'x-request-id': id, ...(cookie !== undefined && { cookie }) };
  const response = await fetch(url, { method, headers });
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    cookie: response.headers.get('set-cookie')?.split(';')[0],
    sessionLost: response.headers.get('x-session-lost') === '1',
  };
}

describe('a visitor of the ticket shop', () => {
  it('sees the event, holds a seat, buys it, and is told the same when asking again', async () => {
    const { url } = await openShop(0, { tickets: 3 });
    const page = await ask(`${url}/event`, 'GET');
    expect(page).toMatchObject({ status: 200, body: { event: 'Port Party', remaining: 3 } });
    expect(page.cookie).toMatch(/^session=[\w-]{16}$/);
    const again = await ask(`${url}/event`, 'GET', page.cookie);
    expect(again.cookie).toBeUndefined();
    for (let time = 0; time < 2; time++) {
      expect(await ask(`${url}/seats`, 'POST', page.cookie)).toMatchObject({ status: 201, body: { hold: 1 } });
    }
    for (let time = 0; time < 2; time++) {
      expect(await ask(`${url}/checkout`, 'POST', page.cookie)).toMatchObject({ status: 200, body: { ticket: 1 } });
    }
    expect(await ask(`${url}/stats`, 'GET')).toMatchObject({ status: 200, body: { stock: 3, sold: 1, held: 0 } });
  });

  it('with `sessionAt: seat` gets a session with the first seat, and the event page sets no cookie', async () => {
    const { url } = await openShop(0, { tickets: 3, sessionAt: 'seat' });
    const page = await ask(`${url}/event`, 'GET');
    expect(page).toMatchObject({ status: 200, body: { remaining: 3 }, cookie: undefined });
    const held = await ask(`${url}/seats`, 'POST');
    expect(held).toMatchObject({
      status: 201,
      body: { hold: 1 },
      cookie: expect.stringMatching(/^session=[\w-]{16}$/),
    });
    expect(await ask(`${url}/seats`, 'POST', held.cookie)).toMatchObject({ status: 201, body: { hold: 1 } });
    expect(await ask(`${url}/event`, 'GET')).toMatchObject({ body: { remaining: 2 } });
    expect(await ask(`${url}/checkout`, 'POST', held.cookie)).toMatchObject({ status: 200, body: { ticket: 1 } });
    expect(await ask(`${url}/seats`, 'POST', 'session=abcdefghijklmnop')).toMatchObject({ sessionLost: true });
  });

  it('is told that nothing is held, that a hold has expired, and what is not there', async () => {
    const { url } = await openShop(0, { tickets: 1, holdTime: '1ms' });
    const { cookie } = await ask(`${url}/event`, 'GET');
    expect((await ask(`${url}/checkout`, 'POST', cookie)).status).toBe(404);
    await ask(`${url}/seats`, 'POST', cookie);
    await eventually(async () => (await ask(`${url}/stats`, 'GET')).body.held === 0);
    expect(await ask(`${url}/checkout`, 'POST', cookie)).toMatchObject({
      status: 410,
      body: { error: 'hold expired' },
    });
    expect((await ask(`${url}/nowhere`, 'GET')).status).toBe(404);
    expect((await ask(`${url}/seats`, 'GET')).status).toBe(405);
  });

  it('without a known session is told that it is lost, and so is the ledger', async () => {
    const { url, host, node } = await openShop(0);
    for (const [id, cookie] of [
      ['none', undefined],
      ['forged', 'session=abcdefghijklmnop'],
    ] as const) {
      const answer = await ask(`${url}/seats`, 'POST', cookie, id);
      expect(answer).toMatchObject({ status: 503, body: { error: 'session lost' }, sessionLost: true });
    }
    await ask(`${url}/event`, 'GET', undefined, 'fine');
    await node.stop!();
    const { sightings } = await ticketShop.readLogs!(host);
    expect(sightings.map(({ id, status, refusal }) => [id, status, refusal?.cause])).toEqual([
      ['none', 503, 'session-lost'],
      ['forged', 503, 'session-lost'],
      ['fine', 200, undefined],
    ]);
  });
});

describe('the login of the ticket shop', () => {
  it('opens to the right password, and locks for all hosts after wrong ones', async () => {
    const knobs = { login: { password: 'guess-7', lockAfter: 2 } };
    const [first, second] = [await openShop(0, knobs), await openShop(1, knobs)];
    const login = async (url: string, password: string) => {
      const body = new URLSearchParams({ user: 'organiser', password });
      return (await fetch(`${url}/login`, { method: 'POST', body })).status;
    };
    expect(await login(first.url, 'guess-7')).toBe(200);
    expect([await login(first.url, 'guess-1'), await login(second.url, 'guess-2')]).toEqual([401, 401]);
    expect([await login(first.url, 'guess-7'), await login(second.url, 'guess-7')]).toEqual([423, 423]);
  });
});

describe('a ticket shop with sessions of each host its own', () => {
  it('knows nobody whom another host has begun with, and nobody any more after a restart', async () => {
    const knobs = { sessions: 'local' };
    const [first, second] = [await openShop(0, knobs), await openShop(1, knobs)];
    const { cookie } = await ask(`${first.url}/event`, 'GET');
    expect(await ask(`${second.url}/seats`, 'POST', cookie)).toMatchObject({ status: 503, sessionLost: true });
    expect((await ask(`${first.url}/seats`, 'POST', cookie)).status).toBe(201);
    await first.node.restart!();
    expect(await ask(`${first.url}/checkout`, 'POST', cookie)).toMatchObject({ status: 503, sessionLost: true });
  });

  it('tells so where sessions begin with the seat too, and gives no second one', async () => {
    const knobs = { sessions: 'local', sessionAt: 'seat' };
    const [first, second] = [await openShop(0, knobs), await openShop(1, knobs)];
    const { cookie } = await ask(`${first.url}/seats`, 'POST');
    expect(await ask(`${second.url}/seats`, 'POST', cookie)).toMatchObject({ status: 503, sessionLost: true });
    expect(await ask(`${first.url}/checkout`, 'POST', cookie)).toMatchObject({ status: 200 });
  });
});

describe('all hosts and workers of a ticket shop', () => {
  it('sell from one stock and know each other’s sessions; it is never oversold', async () => {
    const tickets = 25;
    const shops = [await openShop(0, { tickets, workers: 2 }), await openShop(1, { tickets, workers: 2 })];
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
    for (const { node } of [...shops].reverse()) await node.stop!();
    expect(await readTickets(shops[0].host)).toEqual({ stock: tickets, sold: tickets });
    expect(await readTickets(shops[1].host)).toBeUndefined();
  });

  it('tell the sale’s numbers while it goes on, for the case that they are killed', async () => {
    const { url, host, node } = await openShop(0, { tickets: 2 });
    expect(await readTickets(host)).toEqual({ stock: 2, sold: 0 });
    const { cookie } = await ask(`${url}/event`, 'GET');
    await ask(`${url}/seats`, 'POST', cookie);
    await ask(`${url}/checkout`, 'POST', cookie);
    await eventually(async () => (await readTickets(host))?.sold === 1);
    for (const one of node.processes) await one.signal('SIGKILL');
    expect(await readTickets(host)).toEqual({ stock: 2, sold: 1 });
  });

  it('answer 500 and log it while the inventory is gone', async () => {
    const { url, host, node } = await openShop(0);
    const inventory = node.processes.at(-1)!;
    await inventory.signal('SIGKILL');
    await inventory.exited;
    expect((await ask(`${url}/event`, 'GET', undefined, 'r.1')).status).toBe(500);
    await node.stop!();
    expect(await host.readFile('requests.log')).toContain('"kind":"inventory"');
    const { sightings } = await ticketShop.readLogs!(host);
    expect(sightings).toMatchObject([{ id: 'r.1', status: 500, refusal: { cause: 'http-error' } }]);
  });

  it('do not start without an inventory, and say why', async () => {
    await expect(openShop(1)).rejects.toMatchObject({
      name: 'PortPartyError',
      exitCode: 3,
      where: 'shop[1]',
      message: expect.stringContaining('cannot reach the inventory: ENOENT'),
    });
  });

  it('do not start where the socket’s path would be too long', async () => {
    await expect(openShop(0, {}, `/${'x'.repeat(107)}`)).rejects.toMatchObject({ exitCode: 3, where: 'shop[0]' });
  });
});

describe('the fixed server', () => {
  it('starts by its knobs, and its log tells each request and each shortage of descriptors', async () => {
    const host = hosts.host('shop');
    const port = await freePort('127.0.0.1');
    const node = await fixed.start!({
      host,
      planned: planned(host, 0),
      spec: fixed.knobs.parse({ status: 429, openFiles: 100 }),
      listen: { host: 'shop', address: '127.0.0.1', port },
      backends: [],
      sources: [],
      userConfig: undefined,
      plan: NO_PLAN,
      sharedDir: hosts.sharedDir,
    });
    running.push(node);
    expect((await fetch(`http://127.0.0.1:${port}/`, { headers: { 'x-request-id': 'r.1.0' } })).status).toBe(429);
    await node.stop!();
    await host.writeFile(
      'requests.log',
      `${await host.readFile('requests.log')}{"t":5,"kind":"file-limit","text":"accept4: EMFILE","count":3}\n{"t":6,"ki`,
    );
    expect(await fixed.readLogs!(host)).toMatchObject({
      sightings: [{ id: 'r.1.0', host: 'shop', status: 429, tries: [], refusal: { cause: 'throttled' } }],
      incidents: [{ host: 'shop', at: 5, cause: 'file-limit', evidence: 'shop: accept4: EMFILE (3 times)' }],
    });
  });
});
