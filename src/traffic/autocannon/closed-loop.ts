/**
 * Runs the closed-loop phases of one client host through autocannon and writes one outcome per request.
 *
 * autocannon tells of a response by events of its client, and of a request only through the functions that build it;
 * which of the two belong together follows from the order of its calls (lib/httpClient.js of autocannon 8).
 */
import type { Socket } from 'node:net';
import autocannon from 'autocannon';
import { C } from '../../sys/libc.js';
import { type CookieJar, cookieJar } from '../cookies.js';
import { requestId, requestTarget, type TrafficPlan, visitorNumber } from '../engine.js';
import { isLost, isOwnFailure, isSoldOut } from '../judgement.js';
import { ClientError, type Outcomes, RequestState } from '../outcomes.js';
import { shareOf } from '../split.js';
import { NO_RETRANSMIT_BELOW_NS, socketRetransmits } from '../tcp-info.js';

/** How often autocannon looks whether it is to stop, ms. */
const SAMPLE_MS = 10;
/** Wait before a failed connection is opened again, ms: autocannon's own way, at once, leaves the event loop no time for the others. */
const RECONNECT_MS = 10;
/** Longer than any run; the phases are ended from here, so that requests under way get their answers. */
const NO_END_SECONDS = 1e6;
/** Ends a connection whose handshake takes too long: autocannon's own time-out knows only of answers. */
const CONNECT_TIMEOUT = new Error('connect time-out');

/** What became of one host's part. */
export interface ClosedLoopResult {
  ownFailures: number;
  full: boolean;
}

/** The phases on their way. */
export interface ClosedLoop {
  finished: Promise<ClosedLoopResult>;
  /** Sends nothing new and leaves open requests under way. */
  stop(): void;
}

/** The parts of autocannon's client that its type declarations leave out. */
interface CannonClient extends autocannon.Client {
  /** The client ends by itself instead of sending more requests than this. */
  responseMax: number | undefined;
  /** Time-out of a request, ms. */
  timeout: number;
  destroyed: boolean;
  /** The present connection; another object after each new connect(). */
  conn: Socket;
  destroy(): void;
  _connect(): void;
}

/** One of autocannon's connections. */
interface Cannon {
  client: CannonClient;
  /** The request under way. */
  row: number;
  target: number;
  /** Number of the connection in the trial. */
  connection: number;
  /** The connection as Node knows it; undefined before the first one. */
  socket: Socket | undefined;
  /** Its local port; 0 until connect() was called. */
  localPort: number;
  /** Its handshake is done. */
  established: boolean;
  /** The visitor's journey has ended early: the next request is a new visitor's. */
  journeyOver: boolean;
}

/** Values that autocannon keeps from request to request of one visitor. */
interface Visit {
  visitor?: number;
  cookies?: CookieJar;
}

/** Starts the phases at CLOCK_MONOTONIC `startNs`. */
export function closedLoop(plan: TrafficPlan, host: number, out: Outcomes, startNs: number): ClosedLoop {
  const { steps, clients } = plan;
  const { targets } = clients[host];
  const hosts = clients.length;
  const originNs = BigInt(startNs);
  const now = () => Number(process.hrtime.bigint() - originNs);

  let visitorCount = 0;
  let connectionCount = 0;
  let ownFailures = 0;
  let full = false;
  let stopped = false;
  /** The phase is over: no new visitor comes, those who are there go on to their end. */
  let phaseOver = false;
  let cannons: Cannon[] = [];
  /** The cannon whose next request is being built. */
  let asking: Cannon | undefined;
  let builtRow = 0;
  let instance: (autocannon.Instance & Promise<unknown>) | undefined;

  const connectionNumber = () => connectionCount++ * hosts + host;
  const targetOfNext = () => cannons.length % targets.length;

  /** Notes a new request; the visitors of this host are every `hosts`-th one. */
  function begin(visit: Visit, stepIndex: number): number {
    if (stepIndex === 0) {
      visit.visitor = visitorCount++ * hosts + host;
      if (visit.visitor + hosts >= out.visitors) {
        full = true;
        phaseOver = true;
      }
    }
    const row = visit.visitor! * steps.length + stepIndex;
    const at = now();
    out.dueNs[row] = at;
    out.sentNs[row] = at;
    out.lastTryNs[row] = at;
    out.attempts[row] = 1;
    out.client[row] = host;
    out.state[row] = RequestState.underWay;
    return row;
  }

  const requests = steps.map((step, stepIndex) => ({
    method: step.method,
    path: step.path,
    body: step.body,
    // `request` and `context` are autocannon's own objects, the context a visitor's.
    setupRequest(request: autocannon.Request, context: Visit) {
      // No request at all makes autocannon begin again with the first one, for a new visitor.
      if (stepIndex > 0 && asking?.journeyOver) return false as unknown as autocannon.Request;
      const row = begin(context, stepIndex);
      builtRow = row;
      // A client's first request is built just before the client itself.
      const target = targets[asking?.target ?? targetOfNext()];
      if (asking !== undefined) carry(asking, row);
      asking = undefined;
      const headers: Record<string, string> = {
        'X-Request-Id': requestId(plan.idPrefix, visitorNumber(plan.part, context.visitor!), stepIndex, 0),
      };
      if (step.method === 'POST' && step.body === '') headers['Content-Length'] = '0';
      const cookies = context.cookies?.header();
      if (cookies !== undefined) headers.Cookie = cookies;
      if (target.origin !== undefined) headers.Host = target.origin;
      return { ...request, path: requestTarget(target, step.path), headers };
    },
    onResponse(_status: number, _body: string, context: Visit, headers: Record<string, string | string[]> = {}) {
      const name = Object.keys(headers).find((key) => key.toLowerCase() === 'set-cookie');
      for (const line of name === undefined ? [] : [headers[name]].flat()) {
        context.cookies ??= cookieJar();
        context.cookies.keep(line);
      }
    },
  }));

  function carry(cannon: Cannon, row: number): void {
    cannon.row = row;
    cannon.journeyOver = false;
    out.connection[row] = cannon.connection;
    out.target[row] = cannon.target;
    out.localPort[row] = cannon.localPort;
  }

  /** autocannon has asked for a connection, and builds its first request next. */
  function opening(cannon: Cannon): void {
    const socket = cannon.client.conn;
    cannon.socket = socket;
    cannon.localPort = 0;
    cannon.established = false;
    const connectNs = now();
    let timer: NodeJS.Timeout | undefined;
    const present = () => cannon.socket === socket;
    // Node calls connect() in the next tick, put off just before this one; the port is known after it.
    process.nextTick(() => {
      if (!present()) return;
      cannon.localPort = socket.localPort ?? 0;
      out.localPort[cannon.row] = cannon.localPort;
      out.connectNs[cannon.row] = connectNs;
      if (socket.connecting) timer = setTimeout(() => socket.destroy(CONNECT_TIMEOUT), plan.connectTimeoutMs);
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      if (!present()) return;
      cannon.established = true;
      const at = now();
      out.connectedNs[cannon.row] = at;
      out.synRetransmits[cannon.row] = at - connectNs > NO_RETRANSMIT_BELOW_NS ? socketRetransmits(socket) : 0;
    });
    socket.once('close', () => clearTimeout(timer));
  }

  function setupClient(given: autocannon.Client): void {
    const client = given as CannonClient;
    const cannon: Cannon = {
      client,
      row: -1,
      target: targetOfNext(),
      connection: connectionNumber(),
      socket: undefined,
      localPort: 0,
      established: false,
      journeyOver: false,
    };
    // autocannon has built the first request just before.
    carry(cannon, builtRow);
    cannons.push(cannon);
    // The option of this name refuses less than a second.
    client.timeout = plan.responseTimeoutMs;
    let first = true;
    client.on('request' as 'response', () => {
      if (first) first = false;
      else {
        endSilently(cannon);
        asking = cannon;
      }
      if (client.conn !== cannon.socket) opening(cannon);
    });
    client.on('headers', () => {
      out.firstByteNs[cannon.row] = now();
    });
    client.on('response', (status) => answered(cannon, status));
    client.on('connError' as 'response', ((error: NodeJS.ErrnoException) => broken(cannon, error)) as never);
  }

  function answered(cannon: Cannon, status: number): void {
    const { row, client } = cannon;
    out.status[row] = status;
    if (isLost(status)) drop(cannon, ClientError.status, 0);
    else {
      out.doneNs[row] = now();
      cannon.journeyOver = row % steps.length === steps.length - 1;
      if (isSoldOut(status, steps.length)) {
        out.soldOut[row] = 1;
        cannon.journeyOver = true;
      }
      out.state[row] = RequestState.completed;
    }
    if (phaseOver && cannon.journeyOver) client.responseMax = 1;
  }

  function broken(cannon: Cannon, error: NodeJS.ErrnoException): void {
    const { client } = cannon;
    const code = Math.abs(error.errno ?? 0);
    if (isOwnFailure(code)) ownFailures++;
    if (error === CONNECT_TIMEOUT) drop(cannon, ClientError.connectTimeout, C.ETIMEDOUT);
    else if (error.syscall !== 'connect') drop(cannon, ClientError.reset, code);
    else if (code === C.EADDRNOTAVAIL || isOwnFailure(code)) drop(cannon, ClientError.syscall, code);
    else drop(cannon, ClientError.connectFailed, code);
    cannon.connection = connectionNumber();
    if (phaseOver || stopped) {
      client.destroy();
      return;
    }
    // autocannon connects again after this, unless the client looks destroyed.
    client.destroyed = true;
    setTimeout(() => {
      client.destroyed = false;
      if (phaseOver || stopped) client.destroy();
      else client._connect();
    }, RECONNECT_MS);
  }

  /** The next request comes although the one before never ended: it has timed out, or the server has closed. */
  function endSilently(cannon: Cannon): void {
    const { row, client } = cannon;
    if (out.state[row] !== RequestState.underWay) return;
    const timedOut = now() - out.sentNs[row] >= plan.responseTimeoutMs * 1e6;
    if (!cannon.established) drop(cannon, ClientError.connectTimeout, C.ETIMEDOUT);
    else if (timedOut) drop(cannon, ClientError.responseTimeout, C.ETIMEDOUT);
    else drop(cannon, ClientError.closedEarly, 0);
    cannon.connection = connectionNumber();
    if (!phaseOver) return;
    // The next request is built all the same; before its connection can stand it is taken back.
    queueMicrotask(() => {
      takeBack(cannon.row);
      client.destroy();
    });
  }

  function takeBack(row: number): void {
    for (const column of ['dueNs', 'sentNs', 'lastTryNs', 'connectNs', 'connectedNs'] as const)
      out[column][row] = Number.NaN;
    out.localPort[row] = 0;
    out.attempts[row] = 0;
    out.client[row] = 0;
    out.connection[row] = -1;
    out.state[row] = RequestState.notDue;
  }

  function drop(cannon: Cannon, error: ClientError, errno: number): void {
    const { row } = cannon;
    if (out.state[row] !== RequestState.underWay) return;
    out.error[row] = error;
    out.errno[row] = errno;
    out.doneNs[row] = now();
    out.state[row] = RequestState.dropped;
    cannon.journeyOver = true;
  }

  async function runPhase(phase: { connections: number }, endsNs: number): Promise<void> {
    const connections = shareOf(phase.connections, host, hosts);
    if (connections === 0 || stopped || full) return;
    phaseOver = false;
    asking = undefined;
    cannons = [];
    instance = autocannon({
      url: targets.slice(0, connections).map(({ address, port }) => `http://${address}:${port}`),
      connections,
      duration: NO_END_SECONDS,
      sampleInt: SAMPLE_MS,
      skipAggregateResult: true,
      setupClient,
      requests,
    } as unknown as autocannon.Options) as unknown as autocannon.Instance & Promise<unknown>;
    const timer = setTimeout(
      () => {
        phaseOver = true;
      },
      (endsNs - now()) / 1e6,
    );
    await instance;
    clearTimeout(timer);
  }

  const until = (ns: number) => new Promise((resolve) => setTimeout(resolve, Math.max(0, (ns - now()) / 1e6)));

  async function runPhases(): Promise<ClosedLoopResult> {
    let beginsNs = 0;
    for (const phase of plan.closedLoop!) {
      await until(beginsNs);
      const endsNs = beginsNs + phase.forMs * 1e6;
      await runPhase(phase, endsNs);
      beginsNs = endsNs;
    }
    return { ownFailures, full };
  }

  return {
    finished: runPhases(),
    stop() {
      stopped = true;
      instance?.stop?.();
    },
  };
}
