import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { openIoUring } from '../../dist/sys/io-uring.js';
import { bind, C, close, getsockname, listen, sockaddrIn, socket } from '../../dist/sys/libc.js';
import { allowedCores } from '../../dist/sys/scheduling.js';
import { ENGINES } from '../../dist/traffic/engines.js';
import type { PreparedTraffic, TrafficPlan } from '../../src/traffic/engine.js';
import { ClientError, RequestState } from '../../src/traffic/outcomes.js';
import { BUY, plan, serve, type TestServer, tally, until } from './fixture.js';

let server: TestServer | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await server?.close();
  prepared = undefined;
  server = undefined;
});

/** An engine, and where it has several ways of sending, the one that is meant. */
interface Way {
  way: string;
  name: 'socket' | 'undici';
  /** What the plan has to be for it. */
  changes: Partial<TrafficPlan>;
  /** `PORTPARTY_EVENTS`, and what the report says then. */
  events?: 'epoll';
  timer?: string;
}
const PER_REQUEST: Partial<TrafficPlan> = { connections: { mode: 'per-request' } };
const RING = openIoUring(8, 16);
RING?.dispose();
const WAYS: Way[] = [
  { way: 'the socket engine', name: 'socket', changes: {} },
  ...(RING === undefined
    ? []
    : [{ way: 'the socket engine by io_uring', name: 'socket', changes: PER_REQUEST, timer: 'io_uring' } as const]),
  { way: 'the socket engine by epoll', name: 'socket', changes: PER_REQUEST, events: 'epoll', timer: 'epoll_pwait2' },
  { way: 'the undici engine', name: 'undici', changes: {} },
];

/** Has the engine send by this way until the test's end. */
function goBy({ events }: Way): void {
  vi.stubEnv('PORTPARTY_EVENTS', events);
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe.each(WAYS)('$way', (given) => {
  const { name, changes, timer } = given;
  beforeEach(() => goBy(given));
  const perRequest = changes.connections !== undefined;

  /** Sends a plan to its end. */
  async function send(wanted: TrafficPlan) {
    const meant = { ...wanted, ...changes };
    expect(ENGINES[name].refuses(meant)).toBeUndefined();
    prepared = await ENGINES[name].prepare(meant);
    const report = await prepared.run(process.hrtime.bigint());
    if (timer !== undefined) expect(report.timer).toBe(timer);
    return { out: prepared.outcomes, report };
  }

  test('sends every request of every visitor once, under its own id', async () => {
    server = await serve((_request, response) => response.end('{}'));
    const { out, report } = await send(plan(server.port, 50, 2, { steps: BUY }));
    expect(tally(out)).toEqual({ notDue: 0, underWay: 0, completed: 150, dropped: 0 });
    const expected = Array.from({ length: 150 }, (_, row) => `test.${Math.floor(row / 3)}.${row % 3}`);
    expect(server.requests.map(({ id }) => id).sort()).toEqual(expected.sort());
    expect(server.requests.filter(({ path }) => path === '/checkout').every(({ method }) => method === 'POST')).toBe(
      true,
    );
    expect(report.engine).toBe(name);
    expect(report.cpuSeconds).toBeGreaterThan(0);
  });

  test.skipIf(perRequest)('per-visitor keeps one connection per visitor, known by its local port', async () => {
    server = await serve((_request, response) => response.end('{}'));
    const { out } = await send(plan(server.port, 20, 2, { steps: BUY }));
    expect(server.connections).toBe(20);
    for (let visitor = 0; visitor < 20; visitor++) {
      const rows = [0, 1, 2].map((step) => visitor * 3 + step);
      expect(new Set(rows.map((row) => out.connection[row])).size).toBe(1);
      expect(rows.map((row) => Number.isNaN(out.connectNs[row]))).toEqual([false, true, true]);
      expect(out.localPort[rows[0]]).toBeGreaterThan(0);
      expect(out.localPort[rows[2]]).toBe(out.localPort[rows[0]]);
    }
    expect(new Set(out.connection).size).toBe(20);
  });

  test('per-request opens a connection for each request', async () => {
    server = await serve((_request, response) => response.end('{}'));
    const { out } = await send(plan(server.port, 20, 2, { steps: BUY, connections: { mode: 'per-request' } }));
    expect(server.connections).toBe(60);
    expect(new Set(out.connection).size).toBe(60);
  });

  test('times are in order and none comes before it is due; think time counts from the response', async () => {
    server = await serve((_request, response) => response.end('{}'));
    const { out } = await send(plan(server.port, 30, 2, { steps: BUY, thinkTimeMs: 20 }));
    for (let row = 0; row < out.rows; row++) {
      expect(out.sentNs[row]).toBeGreaterThanOrEqual(out.dueNs[row]);
      expect(out.firstByteNs[row]).toBeGreaterThanOrEqual(out.sentNs[row]);
      expect(out.doneNs[row]).toBeGreaterThanOrEqual(out.firstByteNs[row]);
      if (row % 3 > 0) expect(out.dueNs[row]).toBeCloseTo(out.doneNs[row - 1] + 20e6, -1);
      else expect(out.dueNs[row]).toBe((row / 3) * 2e6);
      if (row % 3 === 0 || perRequest) {
        expect(out.connectNs[row]).toBeGreaterThanOrEqual(out.sentNs[row]);
        expect(out.connectedNs[row]).toBeGreaterThanOrEqual(out.connectNs[row]);
        expect(out.firstByteNs[row]).toBeGreaterThanOrEqual(out.connectedNs[row]);
      }
    }
  });

  test('a stalled server does not slow the arrivals, and latency counts from the planned time', async () => {
    // Requests 50 to 249 are held back until request 249 has come: a generator that waits for answers never gets there.
    const held: (() => void)[] = [];
    server = await serve((_request, response, before) => {
      if (before < 50) response.end('{}');
      else held.push(() => response.end('{}'));
      if (before >= 249) for (const release of held.splice(0)) release();
    });
    const { out } = await send(plan(server.port, 250, 4));
    expect(tally(out).completed).toBe(250);
    for (let row = 50; row < 250; row++) expect(out.doneNs[row]).toBeGreaterThanOrEqual(out.dueNs[249]);
    const latencies = out.doneNs.map((done, row) => (done - out.dueNs[row]) / 1e6).sort();
    expect(latencies[Math.ceil(0.99 * 250) - 1]).toBeGreaterThan(199 * 4 - 3 * 4);
  });

  test('a visitor keeps cookies', async () => {
    server = await serve((request, response) => {
      if (request.url === '/event') response.setHeader('Set-Cookie', ['sid=abc; Path=/; HttpOnly', 'node=1']);
      response.end('{}');
    });
    await send(plan(server.port, 3, 1, { steps: BUY }));
    const cookies = (path: string) => server!.requests.filter((seen) => seen.path === path).map(({ cookie }) => cookie);
    expect(cookies('/event')).toEqual([undefined, undefined, undefined]);
    expect(cookies('/checkout')).toEqual(Array(3).fill('sid=abc; node=1'));
  });

  test('a refused port is a failed handshake with its errno, and the rest of the journey never comes due', async () => {
    const gone = await serve(() => undefined);
    await gone.close();
    const { out } = await send(plan(gone.port, 10, 1, { steps: BUY }));
    expect(tally(out)).toEqual({ notDue: 20, underWay: 0, completed: 0, dropped: 10 });
    expect(out.errno[0]).toBe(C.ECONNREFUSED);
    expect(out.attempts[0]).toBe(1);
    expect(out.connectedNs[0]).toBeNaN();
  });

  test('a request that is tried again is one request; tries are counted and have their own ids', async () => {
    server = await serve((request, response) => {
      if (String(request.headers['x-request-id']).split('.').length < 4) response.statusCode = 503;
      response.end('{}');
    });
    const { out } = await send(plan(server.port, 10, 1, { retry: { attempts: 2, backoffMs: 5 } }));
    expect(tally(out)).toEqual({ notDue: 0, underWay: 0, completed: 10, dropped: 0 });
    expect([...out.attempts]).toEqual(Array(10).fill(2));
    expect(server.requests.map(({ id }) => id)).toContain('test.7.0.1');
    expect(out.lastTryNs[0]).toBeGreaterThanOrEqual(out.sentNs[0] + 5e6);
  });

  test('when every try fails the request is dropped with its last cause', async () => {
    const gone = await serve(() => undefined);
    await gone.close();
    const { out } = await send(plan(gone.port, 5, 1, { retry: { attempts: 3, backoffMs: 1 } }));
    expect(tally(out).dropped).toBe(5);
    expect([...out.attempts]).toEqual(Array(5).fill(4));
    expect(out.errno[0]).toBe(C.ECONNREFUSED);
  });

  test.each([
    [500, 'dropped'],
    [503, 'dropped'],
    [429, 'dropped'],
    [404, 'completed'],
    [200, 'completed'],
  ] as const)('status %d is %s', async (status, fate) => {
    server = await serve((_request, response) => {
      response.statusCode = status;
      response.end('{}');
    });
    const { out } = await send(plan(server.port, 1, 1));
    expect(tally(out)[fate]).toBe(1);
    expect(out.status[0]).toBe(status);
    expect(out.error[0]).toBe(fate === 'dropped' ? ClientError.status : ClientError.none);
  });

  test('a sold-out sale ends the visit; its request is completed', async () => {
    server = await serve((request, response) => {
      if (request.url === '/seats') response.statusCode = 409;
      response.end('{}');
    });
    const { out } = await send(plan(server.port, 4, 1, { steps: BUY }));
    expect(tally(out)).toEqual({ notDue: 4, underWay: 0, completed: 8, dropped: 0 });
    expect([...out.soldOut].reduce((sum, value) => sum + value)).toBe(4);
  });

  test.each([
    ['closes without an answer', ClientError.closedEarly],
    ['closes in the middle of the answer', ClientError.closedEarly],
    ['resets', ClientError.reset],
    ['answers what is not HTTP', ClientError.badResponse],
  ])('a server that %s', async (what, error) => {
    server = await serve((_request, response) => {
      const raw = response.socket!;
      if (what === 'closes without an answer') raw.end();
      else if (what === 'resets') raw.resetAndDestroy();
      else if (what === 'answers what is not HTTP') raw.write('SSH-2.0-OpenSSH_9.2\r\n\r\n');
      else raw.end('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    });
    const { out } = await send(plan(server.port, 3, 1));
    expect(tally(out).dropped).toBe(3);
    expect([...out.error]).toEqual([error, error, error]);
    if (error === ClientError.reset) expect(out.errno[0]).toBe(C.ECONNRESET);
  });

  test('a long request and a long answer arrive whole', async () => {
    const body = JSON.stringify({ seats: 'x'.repeat(300_000) });
    const taken: string[] = [];
    server = await serve(async (request, response) => {
      let text = '';
      for await (const piece of request.setEncoding('latin1')) text += piece;
      taken.push(text);
      response.end(text);
    });
    const { out } = await send(plan(server.port, 5, 1, { steps: [{ ...BUY[2], body }] }));
    expect(tally(out).completed).toBe(5);
    expect(taken).toEqual(Array(5).fill(body));
  });

  test('no answer in time is a response time-out', async () => {
    server = await serve(() => undefined);
    const { out } = await send(plan(server.port, 3, 1, { responseTimeoutMs: 50 }));
    expect([...out.error]).toEqual(Array(3).fill(ClientError.responseTimeout));
    for (let row = 0; row < 3; row++) {
      expect(out.doneNs[row] - out.sentNs[row]).toBeGreaterThanOrEqual(50e6);
      // Far from the connect time-out of 10 s, however busy the machine.
      expect(out.doneNs[row] - out.sentNs[row]).toBeLessThan(8e9);
    }
  });

  test.skipIf(availableParallelism() < 2)(
    'its sending thread keeps to the core of the plan, and no other does',
    async () => {
      server = await serve(() => undefined);
      const [core] = allowedCores().slice(-1);
      prepared = await ENGINES[name].prepare(plan(server.port, 1000, 5, { ...changes, sendOn: core }));
      const finished = prepared.run(process.hrtime.bigint());
      await until(() => server!.requests.length >= 3);
      const onCore = readdirSync('/proc/self/task').filter((thread) =>
        readFileSync(`/proc/self/task/${thread}/status`, 'utf8').includes(`Cpus_allowed_list:\t${core}\n`),
      );
      prepared.stop();
      await finished;
      expect(onCore).toHaveLength(1);
      expect(onCore[0]).not.toBe(String(process.pid));
    },
  );

  test('no handshake in time is a connect time-out, and its SYNs are counted', async () => {
    // Nobody accepts and the queue holds one: the first connection stands, the SYNs of the others are dropped.
    const listener = socket(C.AF_INET, C.SOCK_STREAM, 0);
    const address = sockaddrIn('127.0.0.1', 0);
    bind(listener, address, 16);
    listen(listener, 0);
    getsockname(listener, address, new Uint32Array([16]));
    const port = new DataView(address.buffer).getUint16(2, false);
    try {
      const { out } = await send(plan(port, 5, 50, { connectTimeoutMs: 1500, responseTimeoutMs: 100 }));
      expect([...out.error]).toEqual([ClientError.responseTimeout, ...Array(4).fill(ClientError.connectTimeout)]);
      expect([...out.synRetransmits.subarray(1)].every((count) => count >= 1 && count < 10)).toBe(true);
      expect(out.localPort[4]).toBeGreaterThan(0);
    } finally {
      close(listener);
    }
  });

  test('a stop sends nothing new and leaves open requests under way', async () => {
    server = await serve(() => undefined);
    prepared = await ENGINES[name].prepare(plan(server.port, 1000, 5, changes));
    const finished = prepared.run(process.hrtime.bigint());
    await until(() => server!.requests.length >= 3);
    prepared.stop();
    await finished;
    const { notDue, underWay, completed, dropped } = tally(prepared.outcomes);
    expect({ completed, dropped }).toEqual({ completed: 0, dropped: 0 });
    expect(underWay).toBeGreaterThanOrEqual(3);
    expect(notDue).toBe(1000 - underWay);
  });

  test('closed loop is refused with the engine to use instead', () => {
    expect(ENGINES[name].refuses(plan(1, 0, 0, { closedLoop: [{ forMs: 1, connections: 1 }] }))).toMatch(/autocannon/);
  });
});

describe.each(WAYS.filter(({ name }) => name === 'socket'))('$way, which sees the system calls,', (way) => {
  beforeEach(() => goBy(way));

  async function send(given: TrafficPlan) {
    prepared = await ENGINES.socket.prepare({ ...given, ...way.changes });
    await prepared.run(process.hrtime.bigint());
    return prepared.outcomes;
  }

  test('what connect(2) refuses is told by its errno, and everybody else is sent', async () => {
    server = await serve((_request, response) => response.end('{}'));
    // The kernel connects nothing to a broadcast address, and sends nothing there (tcp_v4_connect).
    const targets = ['127.0.0.1', '255.255.255.255'].map((address) => ({ host: 'shop', address, port: server!.port }));
    const clients = [{ host: 'buyers', netns: null, targets }];
    const out = await send(plan(server.port, 40, 0, { clients, retry: { attempts: 1, backoffMs: 1 } }));
    // Each visitor's second try goes to the other target, as does everybody's turn.
    expect(tally(out).completed + tally(out).dropped).toBe(40);
    for (let row = 0; row < out.rows; row++) {
      if (out.state[row] === RequestState.completed) continue;
      expect([out.error[row], out.errno[row], out.localPort[row]]).toEqual([ClientError.syscall, C.ENETUNREACH, 0]);
      expect(out.connectNs[row]).toBeGreaterThanOrEqual(out.sentNs[row]);
      expect(out.connectedNs[row]).toBeNaN();
    }
    expect(server.connections).toBe(tally(out).completed);
  });

  test('a server that floods one visitor holds up nobody else', async () => {
    const chunk = Buffer.alloc(65_536);
    server = await serve((_request, response, before) => {
      const flood = () => {
        while (server!.requests.length < 50) if (!response.write(chunk)) return response.once('drain', flood);
        return response.end();
      };
      if (before === 0) flood();
      else response.end('{}');
    });
    const out = await send(plan(server.port, 50, 2));
    expect(tally(out).completed).toBe(50);
  });

  test.each(['server', 'reset'] as const)('close: %s ends every connection', async (close) => {
    server = await serve((_request, response) => response.end('{}'));
    const out = await send(plan(server.port, 200, 0, { close }));
    expect(tally(out).completed).toBe(200);
    await until(() => server!.open === 0);
  });
});

describe('the undici engine', () => {
  async function send(given: TrafficPlan) {
    prepared = await ENGINES.undici.prepare(given);
    await prepared.run(process.hrtime.bigint());
    return prepared.outcomes;
  }

  test('a pool opens no more connections than its size, and serves all', async () => {
    server = await serve((_request, response) => response.end('{}'));
    const out = await send(plan(server.port, 100, 1, { steps: BUY, connections: { mode: 'pooled', size: 4 } }));
    expect(tally(out).completed).toBe(300);
    expect(server.connections).toBeLessThanOrEqual(4);
  });

  test('latency of a request that waits for the pool counts from its planned time', async () => {
    const held: (() => void)[] = [];
    server = await serve((_request, response) => held.push(() => response.end('{}')));
    prepared = await ENGINES.undici.prepare(plan(server.port, 20, 5, { connections: { mode: 'pooled', size: 2 } }));
    const { outcomes: out } = prepared;
    const finished = prepared.run(process.hrtime.bigint());
    await until(() => out.state[19] === RequestState.underWay && held.length === 2);
    const release = setInterval(() => held.pop()?.(), 1);
    await finished;
    clearInterval(release);
    expect(tally(out).completed).toBe(20);
    for (let row = 0; row < 20; row++) expect(out.doneNs[row]).toBeGreaterThanOrEqual(out.dueNs[19]);
    expect(out.sentNs.every((sent) => sent <= out.sentNs[19])).toBe(true);
  });

  test('a request that gets no connection of the pool in time is dropped without one', async () => {
    server = await serve(() => undefined);
    const out = await send(
      plan(server.port, 3, 1, {
        connections: { mode: 'pooled', size: 1 },
        connectTimeoutMs: 50,
        responseTimeoutMs: 500,
      }),
    );
    expect([...out.error]).toEqual([
      ClientError.responseTimeout,
      ClientError.connectTimeout,
      ClientError.connectTimeout,
    ]);
    expect([...out.connection]).toEqual([0, -1, -1]);
  });

  test('a kept connection that the server has closed is opened anew', async () => {
    server = await serve((request, response) => {
      response.end('{}');
      if (request.url === '/event') response.on('finish', () => request.socket.end());
    });
    const out = await send(plan(server.port, 5, 1, { steps: BUY, thinkTimeMs: 50 }));
    expect(tally(out).completed).toBe(15);
    expect(server.connections).toBe(10);
  });

  test('what it cannot do is refused', () => {
    expect(ENGINES.undici.refuses(plan(1, 1, 1, { holdForMs: 10 }))).toMatch(/socket/);
    expect(ENGINES.undici.refuses(plan(1, 1, 1, { close: 'server' }))).toMatch(/socket/);
  });
});
