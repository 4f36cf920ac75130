import { afterEach, expect, test } from 'vitest';
import { C } from '../../dist/sys/libc.js';
import { ENGINES } from '../../dist/traffic/engines.js';
import type { PreparedTraffic, TrafficPlan } from '../../src/traffic/engine.js';
import { ClientError, RequestState } from '../../src/traffic/outcomes.js';
import { BUY, closedPlan, plan, serve, type TestServer, tally } from './fixture.js';

let server: TestServer | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await server?.close();
  prepared = undefined;
  server = undefined;
});

async function send(given: TrafficPlan) {
  expect(ENGINES.autocannon.refuses(given)).toBeUndefined();
  prepared = await ENGINES.autocannon.prepare(given);
  const report = await prepared.run(process.hrtime.bigint());
  return { out: prepared.outcomes, report };
}

test('every request that the server saw is one outcome, each under its own id, and none is left under way', async () => {
  server = await serve((_request, response) => response.end('{}'));
  const { out } = await send(closedPlan(server.port, [{ forMs: 1000, connections: 4 }]));
  const { completed, dropped, underWay } = tally(out);
  expect({ dropped, underWay }).toEqual({ dropped: 0, underWay: 0 });
  expect(completed).toBeGreaterThan(4);
  expect(completed).toBe(server.requests.length);
  expect(new Set(server.requests.map(({ id }) => id)).size).toBe(completed);
  expect(server.requests.every(({ id }) => out.state[Number(id.split('.')[1])] === RequestState.completed)).toBe(true);
  expect(server.connections).toBe(4);
  expect(new Set(out.connection.subarray(0, completed)).size).toBe(4);
});

test('phases follow each other, each with its own connections', async () => {
  server = await serve((_request, response) => response.end('{}'));
  const { out } = await send(
    closedPlan(server.port, [
      { forMs: 400, connections: 2 },
      { forMs: 100, connections: 3 },
    ]),
  );
  expect(server.connections).toBe(5);
  const sent = out.sentNs.filter((_, row) => out.state[row] === RequestState.completed);
  expect(sent.some((ns) => ns < 400e6)).toBe(true);
  expect(sent.some((ns) => ns > 400e6)).toBe(true);
});

test('the request that opened a connection has its handshake, the next ones only its port', async () => {
  let answered = 0;
  server = await serve((_request, response) => {
    response.end('{}');
    if (++answered > 2) prepared?.stop();
  });
  const { out } = await send(closedPlan(server.port, [{ forMs: 30_000, connections: 1 }]));
  expect(out.localPort[0]).toBeGreaterThan(0);
  expect(out.connectedNs[0]).toBeGreaterThan(out.connectNs[0]);
  expect(out.synRetransmits[0]).toBe(0);
  expect(out.localPort[1]).toBe(out.localPort[0]);
  expect(out.connectNs[1]).toBeNaN();
  // Not known is not 0.
  expect(out.synRetransmits[1]).toBe(255);
  expect(out.dueNs[0]).toBe(out.sentNs[0]);
  expect(out.doneNs[0]).toBeGreaterThanOrEqual(out.firstByteNs[0]);
});

test('every visitor who has come ends the journey, with cookies of its own', async () => {
  let visitors = 0;
  server = await serve((request, response) => {
    if (request.url === '/event') response.setHeader('Set-Cookie', `sid=${visitors++}; Path=/`);
    response.end('{}');
  });
  const { out } = await send(closedPlan(server.port, [{ forMs: 150, connections: 3 }], { steps: BUY }));
  expect(tally(out).completed).toBe(visitors * 3);
  const checkouts = server.requests.filter(({ path }) => path === '/checkout');
  expect(new Set(checkouts.map(({ cookie }) => cookie)).size).toBe(visitors);
  expect(server.requests.filter(({ path, cookie }) => path === '/event' && cookie !== undefined)).toEqual([]);
});

test('a visitor stops at the first dropped request', async () => {
  server = await serve((request, response) => {
    if (request.url === '/seats') response.statusCode = 503;
    response.end('{}');
  });
  const { out } = await send(closedPlan(server.port, [{ forMs: 100, connections: 2 }], { steps: BUY }));
  const { completed, dropped } = tally(out);
  expect(dropped).toBe(completed);
  expect(out.error[1]).toBe(ClientError.status);
  expect(server.requests.filter(({ path }) => path === '/checkout')).toEqual([]);
});

test('a sold-out sale ends the visit; its request is completed', async () => {
  server = await serve((request, response) => {
    if (request.url === '/seats') response.statusCode = 409;
    response.end('{}');
  });
  const { out } = await send(closedPlan(server.port, [{ forMs: 100, connections: 2 }], { steps: BUY }));
  expect(tally(out).dropped).toBe(0);
  expect(out.soldOut[1]).toBe(1);
  expect(server.requests.filter(({ path }) => path === '/checkout')).toEqual([]);
});

test('a refused port is a failed handshake with its errno, again and again, and the run still ends', async () => {
  const gone = await serve(() => undefined);
  await gone.close();
  const { out } = await send(closedPlan(gone.port, [{ forMs: 1000, connections: 2 }]));
  const { completed, dropped, underWay } = tally(out);
  expect({ completed, underWay }).toEqual({ completed: 0, underWay: 0 });
  expect(dropped).toBeGreaterThan(2);
  expect(out.error[0]).toBe(ClientError.connectFailed);
  expect(out.errno[0]).toBe(C.ECONNREFUSED);
});

test('a server that never answers gives response time-outs, and the run still ends', async () => {
  server = await serve(() => undefined);
  const { out } = await send(closedPlan(server.port, [{ forMs: 1000, connections: 2 }], { responseTimeoutMs: 50 }));
  const { completed, dropped, underWay } = tally(out);
  expect({ completed, underWay }).toEqual({ completed: 0, underWay: 0 });
  expect(dropped).toBeGreaterThanOrEqual(4);
  expect(out.error[0]).toBe(ClientError.responseTimeout);
});

test('a server that closes without an answer gives one dropped request per connection', async () => {
  server = await serve((request) => request.socket.end());
  const { out } = await send(closedPlan(server.port, [{ forMs: 100, connections: 2 }]));
  const { completed, dropped, underWay } = tally(out);
  expect({ completed, underWay }).toEqual({ completed: 0, underWay: 0 });
  expect(dropped).toBeGreaterThanOrEqual(2);
  expect(out.error[0]).toBe(ClientError.closedEarly);
});

test('several client hosts share the connections, and each visitor belongs to one of them', async () => {
  server = await serve((_request, response) => response.end('{}'));
  const targets = [{ host: 'shop', address: '127.0.0.1', port: server.port }];
  const clients = ['a', 'b'].map((host) => ({ host, netns: null, targets }));
  const { out } = await send(closedPlan(server.port, [{ forMs: 100, connections: 5 }], { clients }));
  expect(server.connections).toBe(5);
  for (let row = 0; row < out.rows; row++)
    if (out.state[row] === RequestState.completed) expect(out.client[row]).toBe(row % 2);
  expect(tally(out).completed).toBe(server.requests.length);
});

test('the report says what closed loop leaves out', async () => {
  server = await serve((_request, response) => response.end('{}'));
  const { report } = await send(
    closedPlan(server.port, [{ forMs: 20, connections: 1 }], { connections: { mode: 'per-request' } }),
  );
  expect(report.notes.join('\n')).toMatch(/keeps its connections open/);
});

test('open loop, held connections and retries are refused', () => {
  const phases = [{ forMs: 1, connections: 1 }];
  expect(ENGINES.autocannon.refuses(plan(1, 1, 1))).toMatch(/socket/);
  expect(ENGINES.autocannon.refuses(closedPlan(1, phases, { holdForMs: 5 }))).toMatch(/hold/);
  expect(ENGINES.autocannon.refuses(closedPlan(1, phases, { retry: { attempts: 1, backoffMs: 1 } }))).toMatch(/retry/);
});
