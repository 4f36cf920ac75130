/** What the engines' tests share: plans towards a server of this process, and counts of what became of them. */
import http from 'node:http';
import type net from 'node:net';
import type { JourneyStep, TrafficPlan } from '../../src/traffic/engine.js';
import { type Outcomes, RequestState } from '../../src/traffic/outcomes.js';

const GET: JourneyStep = { name: 'view-event', method: 'GET', path: '/event', body: '' };
export const BUY: JourneyStep[] = [
  GET,
  { name: 'hold-seat', method: 'POST', path: '/seats', body: '' },
  { name: 'checkout', method: 'POST', path: '/checkout', body: '' },
];

/** Visitors at an even distance of `gapMs`, to a port of this host. */
export function plan(port: number, visitors: number, gapMs: number, changes: Partial<TrafficPlan> = {}): TrafficPlan {
  return {
    arrivalsNs: Float64Array.from({ length: visitors }, (_, index) => index * gapMs * 1e6),
    closedLoop: undefined,
    steps: [GET],
    holdForMs: undefined,
    thinkTimeMs: 10,
    connections: { mode: 'per-visitor' },
    close: 'client',
    connectTimeoutMs: 10_000,
    responseTimeoutMs: 10_000,
    retry: { attempts: 0, backoffMs: 10 },
    clients: [{ host: 'buyers', netns: null, targets: [{ host: 'shop', address: '127.0.0.1', port }] }],
    idPrefix: 'test',
    ...changes,
  };
}

/** A closed-loop plan. */
export function closedPlan(
  port: number,
  phases: { forMs: number; connections: number }[],
  changes: Partial<TrafficPlan> = {},
): TrafficPlan {
  return plan(port, 0, 0, { closedLoop: phases, ...changes });
}

/** A server that notes every request and connection. */
export interface TestServer {
  port: number;
  requests: { id: string; method: string; path: string; cookie: string | undefined }[];
  connections: number;
  /** Connections that are open now. */
  open: number;
  close(): Promise<void>;
}

/** Starts a server on loopback; `answer` is told how many requests came before. */
export async function serve(
  answer: (request: http.IncomingMessage, response: http.ServerResponse, before: number) => void,
): Promise<TestServer> {
  const server = http.createServer((request, response) => {
    const before = state.requests.length;
    const { method = '', url = '', headers } = request;
    state.requests.push({ id: String(headers['x-request-id']), method, path: url, cookie: headers.cookie });
    answer(request, response, before);
  });
  server.keepAliveTimeout = 60_000;
  server.on('connection', (socket) => {
    state.connections++;
    state.open++;
    socket.on('close', () => state.open--);
  });
  await new Promise<void>((listening) => server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, listening));
  const state: TestServer = {
    port: (server.address() as net.AddressInfo).port,
    requests: [],
    connections: 0,
    open: 0,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
  return state;
}

/** Rows by state. */
export function tally(out: Outcomes): { notDue: number; underWay: number; completed: number; dropped: number } {
  const count = (state: number) => out.state.filter((value) => value === state).length;
  return {
    notDue: count(RequestState.notDue),
    underWay: count(RequestState.underWay),
    completed: count(RequestState.completed),
    dropped: count(RequestState.dropped),
  };
}

/** Resolves as soon as `holds` is true; looks every few milliseconds. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 2));
}
