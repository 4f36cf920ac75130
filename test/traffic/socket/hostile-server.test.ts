/** The socket engine before a server that cuts, garbles, withholds, closes and resets: every request ends, and as what it was. */
import { readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import fc from 'fast-check';
import { afterEach, expect, it, onTestFailed } from 'vitest';
import { ENGINES } from '../../../dist/traffic/engines.js';
import type { PreparedTraffic, TrafficPlan } from '../../../src/traffic/engine.js';
import { ClientError, type Outcomes, RequestState } from '../../../src/traffic/outcomes.js';
import { BUY, plan, until } from '../fixture.js';
import { type Behaviour, behaviour } from './behaviours.js';

const VISITORS = 150;
/** `PORTPARTY_TEST_SEED` repeats a run. */
const SEED = Number(process.env.PORTPARTY_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** Longer than any answer that is meant to arrive takes on a busy machine. */
const RESPONSE_TIMEOUT_MS = 6000;
const SOLD_OUT = 409;

let server: net.Server | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await new Promise((closed) => server?.close(closed) ?? closed(undefined));
  prepared = undefined;
  server = undefined;
});

async function listen(accept: (socket: net.Socket) => void): Promise<number> {
  server = net.createServer({ noDelay: true }, accept);
  await new Promise<void>((listening) => server!.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, listening));
  return (server.address() as net.AddressInfo).port;
}

/** Sends a plan to its end. Every connection must be gone then, on both sides. */
async function send(given: TrafficPlan): Promise<Outcomes> {
  const before = openSockets();
  prepared = await ENGINES.socket.prepare(given);
  await prepared.run(process.hrtime.bigint());
  await until(() => openSockets() === before);
  return prepared.outcomes;
}

function openSockets(): number {
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith('socket:');
    } catch {
      return false;
    }
  }).length;
}

function answer(socket: net.Socket, { pieces, after }: Pick<Behaviour, 'pieces' | 'after'>, index = 0): void {
  if (socket.destroyed) return;
  if (index < pieces.length)
    socket.write(pieces[index], () => setImmediate(answer, socket, { pieces, after }, index + 1));
  else if (after === 'close') socket.end();
  else if (after === 'reset') socket.resetAndDestroy();
}

it.each([
  ['per-visitor', BUY],
  ['per-request', BUY.slice(0, 1)],
] as const)('every request ends as what it was, %s', async (mode, steps) => {
  onTestFailed(() => console.error(`to repeat it: PORTPARTY_TEST_SEED=${SEED}`));
  const behaviours = fc.sample(behaviour, { numRuns: VISITORS * steps.length, seed: SEED });
  const requests: string[] = [];
  let together = 0;
  const port = await listen((socket) => {
    let text = '';
    let answered = -1;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      text += data.toString('latin1');
      if (!text.endsWith('\r\n\r\n')) return;
      const [, id] = /^X-Request-Id: test\.(\S+)\r$/m.exec(text)!;
      const [visitor, step] = id.split('.').map(Number);
      // No request before the answer to the one before it.
      if (text.split('X-Request-Id').length > 2 || step <= answered) together++;
      text = '';
      answered = step;
      requests.push(id);
      answer(socket, behaviours[visitor * steps.length + step]);
    });
  });
  const out = await send(
    plan(port, VISITORS, 2, {
      steps: [...steps],
      connections: { mode },
      responseTimeoutMs: RESPONSE_TIMEOUT_MS,
    }),
  );

  const expected: string[] = [];
  for (let visitor = 0; visitor < VISITORS; visitor++) {
    let goesOn = true;
    for (let step = 0; step < steps.length; step++) {
      const row = visitor * steps.length + step;
      const { error, status, keepAlive } = behaviours[row];
      const state = !goesOn
        ? RequestState.notDue
        : error === ClientError.none
          ? RequestState.completed
          : RequestState.dropped;
      const seen = { row, state: out.state[row], error: out.error[row], status: out.status[row] };
      expect(seen).toEqual({ row, state, error: goesOn ? error : 0, status: goesOn ? status : 0 });
      if (goesOn) expected.push(`${visitor}.${step}`);
      goesOn &&= error === ClientError.none && !(status === SOLD_OUT && steps.length > 1);
      if (goesOn && step + 1 < steps.length) {
        const same = out.connection[row] === out.connection[row + 1];
        expect({ row, same }).toEqual({ row, same: keepAlive });
      }
    }
  }
  expect(requests.sort()).toEqual(expected.sort());
  expect(together).toBe(0);
});

it.each([
  ['closes', (socket: net.Socket) => socket.end()],
  ['resets', (socket: net.Socket) => socket.resetAndDestroy()],
])('a server that %s whatever connects loses all requests, and no run waits for one', async (_, leave) => {
  const port = await listen((socket) => {
    socket.on('error', () => {});
    leave(socket.resume());
  });
  const out = await send(plan(port, VISITORS, 1));
  expect([...out.state]).toEqual(Array(VISITORS).fill(RequestState.dropped));
  // The end may come before the request is sent, and before the client knows of its handshake.
  const possible: number[] = [ClientError.closedEarly, ClientError.reset, ClientError.connectFailed];
  expect([...out.error].filter((error) => !possible.includes(error))).toEqual([]);
});

it.each([
  ['an answer that nobody has asked for', 'HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n'],
  ['more than is read at a time', 'x'.repeat(1_000_000)],
])('%s ends a kept connection, and the next request goes over another', async (_, surplus) => {
  const visitors = 20;
  const steps = BUY.slice(0, 2);
  let left = 0;
  const port = await listen((socket) => {
    let requests = 0;
    socket.on('error', () => {});
    socket.on('close', () => left++);
    socket.on('data', () => {
      requests++;
      socket.write(`HTTP/1.1 ${requests === 1 ? 200 : 500} OK\r\nContent-Length: 0\r\n\r\n`, () =>
        setImmediate(() => socket.write(surplus)),
      );
    });
  });
  const out = await send(plan(port, visitors, 2, { steps, thinkTimeMs: 1000 }));
  expect([...out.state]).toEqual(Array(visitors * steps.length).fill(RequestState.completed));
  expect(new Set(out.connection).size).toBe(visitors * steps.length);
  await until(() => left === visitors * steps.length);
});

it('an answer that ends with the connection leaves nothing to wait for, where the server closes first', async () => {
  const port = await listen((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\n\r\nsold'));
  });
  // Far longer than the test may take.
  const responseTimeoutMs = 600_000;
  const outcomes = await send(
    plan(port, 3, 1, {
      connections: { mode: 'per-request' },
      close: 'server',
      steps: BUY.slice(0, 1),
      responseTimeoutMs,
    }),
  );
  expect([...outcomes.state]).toEqual(new Array(3).fill(RequestState.completed));
});
