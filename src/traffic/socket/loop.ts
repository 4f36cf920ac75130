/**
 * The sending loop: plans in, outcomes out, one thread, no object per request.
 *
 *     arrival or think time due -> connect -> handshake -> request -> response -> next step, hold, or close
 *
 * It never returns to the event loop while it sends, and it sleeps until the next planned moment or the next event.
 */
import { type DeadlineQueue, deadlineQueue } from '../../deadline-queue.js';
import { cheapClock } from '../../sys/cheap-clock.js';
import { C, errno, recv, send } from '../../sys/libc.js';
import { type CookieJar, cookieJar } from '../cookies.js';
import { clientOf, type TrafficPlan, visitorNumber } from '../engine.js';
import { isLost, isOwnFailure, isSoldOut } from '../judgement.js';
import { ClientError, type Outcomes, RequestState } from '../outcomes.js';
import { NO_RETRANSMIT_BELOW_NS, retransmits } from '../tcp-info.js';
import { openConnections } from './connections.js';
import { ParseResult, type ResponseParser, responseParser } from './http-response.js';
import { knownHead } from './known-head.js';
import { requestPieces, requestWriter } from './request-text.js';
import { unreadLine } from './unread.js';

/** What a connection is doing. */
const Phase = { closed: 0, connecting: 1, waiting: 2, idle: 3, holding: 4, draining: 5 } as const;

/** Arrivals sent before the kernel is asked for events again, so that a burst does not make answers look late. */
const ARRIVALS_AT_A_TIME = 32;
/** Bytes read before arrivals and deadlines have their turn again, so that a server that floods holds up nobody else's request. */
const BYTES_AT_A_TIME = 131_072;
/** Longest sleep, so that a stop is noticed. */
const LONGEST_SLEEP_NS = 100e6;

/** What the loop says of itself: failures for want of descriptors or memory of its own, and how it waited. */
export interface LoopReport {
  ownFailures: number;
  timer: string;
}

/**
 * Sends the whole plan. `stop[0]` other than 0 ends it early.
 * @param startNs CLOCK_MONOTONIC of the run's start
 * @param descriptors highest number of descriptors that this process may have
 */
export function sendAll(
  plan: TrafficPlan,
  out: Outcomes,
  stop: Int32Array,
  startNs: number,
  descriptors: number,
): LoopReport {
  const { arrivalsNs, steps, clients, part } = plan;
  const visitors = arrivalsNs.length;
  const stepCount = steps.length;
  const keepAlive = plan.connections.mode !== 'per-request' || plan.holdForMs !== undefined;
  const thinkNs = plan.thinkTimeMs * 1e6;
  const connectTimeoutNs = plan.connectTimeoutMs * 1e6;
  const responseTimeoutNs = plan.responseTimeoutMs * 1e6;
  const backoffNs = plan.retry.backoffMs * 1e6;
  const holdNs = (plan.holdForMs ?? 0) * 1e6;
  const connections = openConnections(clients);
  const pieces = requestPieces(plan, plan.close === 'server' && !keepAlive);
  const request = requestWriter();
  const monotonicMs = cheapClock(C.CLOCK_MONOTONIC);
  const now = () => monotonicMs() * 1e6 - startNs;

  const phase = new Uint8Array(descriptors);
  const rowOf = new Int32Array(descriptors);
  const visitorOf = new Int32Array(descriptors);
  const generationOf = new Int32Array(descriptors);
  const connectionOf = new Int32Array(descriptors);
  const portOf = new Uint16Array(descriptors);
  const targetOf = new Uint16Array(descriptors);
  const retransmitsOf = new Uint8Array(descriptors);
  const parserOf: (ResponseParser | undefined)[] = new Array(descriptors);
  const spareParsers: ResponseParser[] = [];
  const known = knownHead();
  const fdOfVisitor = new Int32Array(visitors).fill(-1);
  const jars: (CookieJar | undefined)[] = new Array(visitors);
  /** Of a part of a plan, the turn begins where that of its client's first visitor here would stand in the whole. */
  const nextTarget = Uint32Array.from(clients, (_, client) =>
    part === undefined ? 0 : Math.floor(part.offsets[client] / part.clientsInAll),
  );
  const received = Buffer.allocUnsafeSlow(65_536);
  const unread = unreadLine(descriptors);

  const connectDeadlines = deadlineQueue();
  const responseDeadlines = deadlineQueue();
  const thinkers = deadlineQueue();
  const retries = deadlineQueue();
  const holds = deadlineQueue();

  let connectionCount = 0;
  let generation = 0;
  let arrived = 0;
  /** Requests that are due and not ended, thinking visitors, and connections still open for their own sake. */
  let pending = 0;
  let ownFailures = 0;
  let bytesLeft = 0;

  function come(row: number, dueNs: number, started: number): void {
    out.dueNs[row] = dueNs;
    out.client[row] = clientOf((row / stepCount) | 0, clients.length);
    out.state[row] = RequestState.underWay;
    startTry(row, started);
  }

  function startTry(row: number, started: number): void {
    const visitor = (row / stepCount) | 0;
    if (out.attempts[row] === 0) out.sentNs[row] = started;
    out.lastTryNs[row] = started;
    out.attempts[row] = Math.min(255, out.attempts[row] + 1);
    out.connectNs[row] = Number.NaN;
    out.connectedNs[row] = Number.NaN;
    out.firstByteNs[row] = Number.NaN;
    const kept = fdOfVisitor[visitor];
    // What is known to lie there is no answer to the request to come.
    if (kept >= 0 && unread.has(kept)) readable(kept, true);
    const fd = fdOfVisitor[visitor];
    if (fd >= 0) sendRequest(fd, row, started);
    else openFor(row, visitor, started);
  }

  function openFor(row: number, visitor: number, started: number): void {
    const client = out.client[row];
    const target = nextTarget[client]++ % clients[client].targets.length;
    out.target[row] = target;
    out.connection[row] = connectionCount++;
    out.localPort[row] = 0;
    out.synRetransmits[row] = 0;
    out.connectNs[row] = started;
    generation = (generation + 1) | 0;
    const fd = connections.open(client, target, generation);
    if (fd < 0) {
      const code = -fd;
      if (isOwnFailure(code)) ownFailures++;
      fail(row, ClientError.syscall, code);
      return;
    }
    phase[fd] = Phase.connecting;
    rowOf[fd] = row;
    visitorOf[fd] = visitor;
    generationOf[fd] = generation;
    connectionOf[fd] = out.connection[row];
    targetOf[fd] = target;
    retransmitsOf[fd] = 0;
    portOf[fd] = connections.localPort(fd);
    out.localPort[row] = portOf[fd];
    connectDeadlines.add(started + connectTimeoutNs, fd, generation);
  }

  function connected(fd: number): void {
    const row = rowOf[fd];
    const at = now();
    out.connectedNs[row] = at;
    if (at - out.connectNs[row] > NO_RETRANSMIT_BELOW_NS) retransmitsOf[fd] = retransmits(fd);
    out.synRetransmits[row] = retransmitsOf[fd];
    if (plan.connections.mode === 'per-visitor') fdOfVisitor[visitorOf[fd]] = fd;
    sendRequest(fd, row, at);
  }

  function sendRequest(fd: number, row: number, at: number): void {
    const visitor = visitorOf[fd];
    const stepIndex = row - visitor * stepCount;
    phase[fd] = Phase.waiting;
    rowOf[fd] = row;
    out.connection[row] = connectionOf[fd];
    out.localPort[row] = portOf[fd];
    out.target[row] = targetOf[fd];
    out.synRetransmits[row] = retransmitsOf[fd];
    const text = pieces[out.client[row]][targetOf[fd]][stepIndex];
    const tryIndex = out.attempts[row] - 1;
    const length = request.write(text, visitorNumber(part, visitor), tryIndex, jars[visitor]?.header());
    if (send(fd, request.bytes, length, C.MSG_NOSIGNAL) !== length) {
      const code = errno();
      end(fd, false);
      fail(row, code === C.EPIPE ? ClientError.closedEarly : ClientError.reset, code);
      return;
    }
    responseDeadlines.add(at + responseTimeoutNs, fd, generationOf[fd]);
  }

  /** Edge-triggered: what is not read now is not told again, the end of the stream included; it waits for its next turn. */
  function readable(fd: number, ending: boolean): void {
    for (;;) {
      const count = recv(fd, received, received.length, C.MSG_DONTWAIT);
      if (count > 0) {
        bytesLeft -= count;
        if (phase[fd] === Phase.waiting) take(fd, count);
        // Nobody has asked: what comes next would be taken for the answer to the visitor's next request.
        else if (phase[fd] === Phase.idle) finish(fd);
        // The response may have closed the connection.
        if (phase[fd] === Phase.closed || (count < received.length && !ending)) return;
        if (bytesLeft <= 0) {
          unread.add(fd);
          return;
        }
      } else if (count === 0) {
        ended(fd);
        return;
      } else {
        const code = errno();
        if (code !== C.EAGAIN && code !== C.EINTR) broken(fd, code);
        return;
      }
    }
  }

  /** Those who stand in line now, as far as the bytes of this turn reach; whether they have come to their end is not known. */
  function readOn(): void {
    for (let inLine = unread.length; inLine > 0 && bytesLeft > 0; inLine--) {
      const fd = unread.next();
      if (fd >= 0) readable(fd, true);
    }
  }

  function take(fd: number, count: number): void {
    const row = rowOf[fd];
    // Read once: what the parser takes is no part of the response's time.
    const at = now();
    if (Number.isNaN(out.firstByteNs[row])) out.firstByteNs[row] = at;
    parserOf[fd] ??= spareParsers.pop() ?? responseParser(known);
    const result = parserOf[fd].feed(received, 0, count);
    if (result === ParseResult.complete) answered(fd, row, parserOf[fd], at);
    else if (result === ParseResult.malformed) {
      end(fd, true);
      fail(row, ClientError.badResponse, 0);
    }
  }

  /** The other side has closed: fine while idle or after a body that lasts until the close, else a failure. */
  function ended(fd: number): void {
    const parser = parserOf[fd];
    if (phase[fd] === Phase.waiting) {
      const row = rowOf[fd];
      if (parser?.end() === ParseResult.complete) {
        answered(fd, row, parser, now());
        finishDrained(fd);
      } else {
        end(fd, false);
        fail(row, ClientError.closedEarly, 0);
      }
    } else finish(fd);
  }

  /** Its end has come with its answer: there is nothing left to drain. */
  function finishDrained(fd: number): void {
    if (phase[fd] === Phase.draining) finish(fd);
  }

  function broken(fd: number, code: number): void {
    const row = rowOf[fd];
    const was = phase[fd];
    if (was === Phase.waiting) {
      end(fd, false);
      fail(row, ClientError.reset, code);
    } else finish(fd);
  }

  /** Closes a connection that carries no request. */
  function finish(fd: number): void {
    if (phase[fd] === Phase.holding || phase[fd] === Phase.draining) pending--;
    end(fd, plan.close === 'reset');
  }

  function end(fd: number, abort: boolean): void {
    phase[fd] = Phase.closed;
    unread.leaveOut(fd);
    const visitor = visitorOf[fd];
    if (fdOfVisitor[visitor] === fd) fdOfVisitor[visitor] = -1;
    releaseParser(fd);
    connections.close(fd, abort);
  }

  /** A connection that waits for nothing needs no parser, so thousands that are held share a few. */
  function releaseParser(fd: number): void {
    const parser = parserOf[fd];
    if (parser === undefined) return;
    parser.reset();
    spareParsers.push(parser);
    parserOf[fd] = undefined;
  }

  function answered(fd: number, row: number, parser: ResponseParser, done: number): void {
    const { status } = parser;
    const serverCloses = !parser.keepAlive;
    const visitor = visitorOf[fd];
    if (parser.cookies !== undefined) keepCookies(visitor, parser.cookies);
    releaseParser(fd);
    out.status[row] = status;
    const lost = isLost(status);
    const lastStep = row === visitor * stepCount + stepCount - 1;
    const soldOut = isSoldOut(status, stepCount);
    const visitorGoesOn = !lost && !lastStep && !soldOut;
    leaveConnection(fd, serverCloses, visitorGoesOn && plan.connections.mode === 'per-visitor', lost, done);
    if (lost) {
      fail(row, ClientError.status, 0);
      return;
    }
    out.doneNs[row] = done;
    if (soldOut) out.soldOut[row] = 1;
    out.state[row] = RequestState.completed;
    if (visitorGoesOn) thinkers.add(done + thinkNs, row + 1, 0);
    else leave(visitor);
  }

  /** What becomes of a connection whose response has arrived: kept, held, drained or closed. */
  function leaveConnection(fd: number, serverCloses: boolean, keep: boolean, lost: boolean, done: number): void {
    if (plan.holdForMs !== undefined && !serverCloses && !lost) {
      phase[fd] = Phase.holding;
      pending++;
      holds.add(done + holdNs, fd, generationOf[fd]);
    } else if (keep && !serverCloses) phase[fd] = Phase.idle;
    else if (plan.close === 'server' && serverCloses) {
      phase[fd] = Phase.draining;
      pending++;
      responseDeadlines.add(done + responseTimeoutNs, fd, generationOf[fd]);
    } else end(fd, plan.close === 'reset');
  }

  function keepCookies(visitor: number, cookies: string[]): void {
    jars[visitor] ??= cookieJar();
    for (const cookie of cookies) jars[visitor].keep(cookie);
  }

  function fail(row: number, error: ClientError, code: number): void {
    out.error[row] = error;
    out.errno[row] = code;
    const at = now();
    if (out.attempts[row] <= plan.retry.attempts) {
      retries.add(at + backoffNs, row, 0);
      return;
    }
    out.doneNs[row] = at;
    out.state[row] = RequestState.dropped;
    leave((row / stepCount) | 0);
  }

  /** The visitor's last request has ended. */
  function leave(visitor: number): void {
    jars[visitor] = undefined;
    pending--;
  }

  function handleEvents(count: number): void {
    for (let index = 0; index < count; index++) {
      const fd = connections.eventFd(index);
      if (phase[fd] === Phase.closed || generationOf[fd] !== connections.eventGeneration(index)) continue;
      const mask = connections.eventMask(index);
      if (phase[fd] === Phase.connecting) {
        const code = mask & (C.EPOLLERR | C.EPOLLHUP) ? connections.error(fd) : 0;
        if (code !== 0) {
          const row = rowOf[fd];
          out.synRetransmits[row] = retransmits(fd);
          end(fd, false);
          fail(row, ClientError.connectFailed, code);
          continue;
        }
        if (!(mask & C.EPOLLOUT)) continue;
        connected(fd);
      }
      const ending = (mask & (C.EPOLLRDHUP | C.EPOLLERR | C.EPOLLHUP)) !== 0;
      if (!(ending || mask & C.EPOLLIN) || phase[fd] === Phase.closed) continue;
      if (bytesLeft > 0) readable(fd, ending);
      else unread.add(fd);
    }
  }

  /** Calls `expired` for each deadline that has passed and still belongs to the same connection. */
  function expire(queue: DeadlineQueue, at: number, expired: (fd: number) => void): void {
    while (queue.first() <= at) {
      const fd = queue.subject();
      const same = generationOf[fd] === queue.generation() && phase[fd] !== Phase.closed;
      queue.remove();
      if (same) expired(fd);
    }
  }

  const connectExpired = (fd: number) => {
    if (phase[fd] !== Phase.connecting) return;
    const row = rowOf[fd];
    out.synRetransmits[row] = retransmits(fd);
    end(fd, false);
    fail(row, ClientError.connectTimeout, C.ETIMEDOUT);
  };
  const responseExpired = (fd: number) => {
    if (phase[fd] === Phase.draining) finish(fd);
    // A kept connection has a deadline of each of its requests: only that of the present one counts.
    else if (phase[fd] === Phase.waiting && now() >= out.lastTryNs[rowOf[fd]] + responseTimeoutNs) {
      const row = rowOf[fd];
      end(fd, true);
      fail(row, ClientError.responseTimeout, C.ETIMEDOUT);
    }
  };
  const holdExpired = (fd: number) => {
    if (phase[fd] === Phase.holding) finish(fd);
  };

  function handleDeadlines(at: number): void {
    expire(connectDeadlines, at, connectExpired);
    expire(responseDeadlines, at, responseExpired);
    expire(holds, at, holdExpired);
    while (thinkers.first() <= at) {
      const row = thinkers.subject();
      const due = thinkers.first();
      thinkers.remove();
      come(row, due, now());
    }
    while (retries.first() <= at) {
      const row = retries.subject();
      retries.remove();
      startTry(row, now());
    }
  }

  function nextMoment(): number {
    const arrival = arrived < visitors ? arrivalsNs[arrived] : Number.POSITIVE_INFINITY;
    return Math.min(
      arrival,
      connectDeadlines.first(),
      responseDeadlines.first(),
      thinkers.first(),
      retries.first(),
      holds.first(),
    );
  }

  while ((arrived < visitors || pending > 0) && Atomics.load(stop, 0) === 0) {
    let at = now();
    for (let sent = 0; sent < ARRIVALS_AT_A_TIME && arrived < visitors && arrivalsNs[arrived] <= at; sent++) {
      pending++;
      come(arrived * stepCount, arrivalsNs[arrived], at);
      arrived++;
      at = now();
    }
    handleDeadlines(at);
    bytesLeft = BYTES_AT_A_TIME;
    readOn();
    const sleepNs = unread.length > 0 ? 0 : Math.min(nextMoment() - now(), LONGEST_SLEEP_NS);
    handleEvents(connections.wait(sleepNs));
  }

  for (let fd = 0; fd < descriptors; fd++) if (phase[fd] !== Phase.closed) end(fd, false);
  connections.dispose();
  return { ownFailures, timer: connections.timer };
}
