/**
 * The sending loop: plans in, outcomes out, one thread, no object per request.
 *
 *     arrival or think time due -> connect -> handshake -> request -> response -> next step, hold, or close
 *
 * It never returns to the event loop while it sends, and it sleeps until the next planned moment or the next event.
 */
import { cheapClock } from '../../sys/cheap-clock.js';
import { C, errno, recv } from '../../sys/libc.js';
import { type CookieJar, cookieJar } from '../cookies.js';
import { clientOf, type TrafficPlan, visitorNumber } from '../engine.js';
import { isLost, isOwnFailure, isSoldOut } from '../judgement.js';
import { ClientError, type Outcomes, RequestState } from '../outcomes.js';
import { NO_RETRANSMIT_BELOW_NS, retransmits } from '../tcp-info.js';
import { NO_BYTES, NOT_READ } from './connection-events.js';
import { type Connections, openConnections } from './connections.js';
import { epollEvents } from './epoll-events.js';
import { ParseResult, type ResponseParser, responseParser } from './http-response.js';
import { knownHead } from './known-head.js';
import { type RequestPieces, requestPieces, requestWriter } from './request-text.js';
import { ringEvents } from './ring-events.js';
import { sendingTimers, type WhenDue } from './timers.js';
import { unreadLine } from './unread.js';

/** What a connection is doing. */
const Phase = { closed: 0, connecting: 1, waiting: 2, idle: 3, holding: 4, draining: 5 } as const;

/** Arrivals sent before the kernel is asked for events again, so that a burst does not make answers look late. */
const ARRIVALS_AT_A_TIME = 32;
/** Bytes read before arrivals and deadlines have their turn again, so that a server that floods holds up nobody else's request. */
const BYTES_AT_A_TIME = 131_072;
/** The other side has closed, or the connection has failed. */
const ENDING = C.EPOLLRDHUP | C.EPOLLERR | C.EPOLLHUP;
/** Longest sleep, so that a stop is noticed. */
const LONGEST_SLEEP_NS = 100e6;

/** What the loop says of itself: failures for want of descriptors or memory of its own, and how it waited. */
export interface LoopReport {
  ownFailures: number;
  timer: string;
}

/** A sending thread's loop, which can send one plan after the other. */
export interface Sender {
  /**
   * Sends a whole plan. `stop[0]` other than 0 ends it early.
   * @param startNs CLOCK_MONOTONIC of the run's start
   */
  send(plan: TrafficPlan, out: Outcomes, stop: Int32Array, startNs: number): LoopReport;
  /** Frees what it waits with. */
  dispose(): void;
}

/**
 * A sender for plans that use their connections as this one does. What the JavaScript engine has learned from one plan holds for the next: the
 * functions are the same.
 * @param descriptors highest number of descriptors that this process may have
 */
export function openSender(
  { connections: { mode }, holdForMs }: Pick<TrafficPlan, 'connections' | 'holdForMs'>,
  descriptors: number,
  waiting: 'ring' | 'epoll' = 'ring',
): Sender {
  const keepAlive = mode !== 'per-request' || holdForMs !== undefined;
  const events = (waiting === 'ring' && !keepAlive ? ringEvents(descriptors) : undefined) ?? epollEvents();
  const request = requestWriter();
  const monotonicMs = cheapClock(C.CLOCK_MONOTONIC);
  const now = () => monotonicMs() * 1e6 - startNs;

  const phase = new Uint8Array(descriptors);
  const rowOf = new Int32Array(descriptors);
  const visitorOf = new Int32Array(descriptors);
  const generationOf = new Int32Array(descriptors);
  const connectionOf = new Int32Array(descriptors);
  /** Connections whose handshakes have not been handed over. */
  const opened = new Int32Array(events.atATime);
  const portOf = new Uint16Array(descriptors);
  const targetOf = new Uint16Array(descriptors);
  const retransmitsOf = new Uint8Array(descriptors);
  const parserOf: (ResponseParser | undefined)[] = new Array(descriptors);
  const spareParsers: ResponseParser[] = [];
  const known = knownHead();
  const received = Buffer.allocUnsafeSlow(65_536);
  const unread = unreadLine(descriptors);
  const timers = sendingTimers();

  // What belongs to the plan that is being sent.
  let plan: TrafficPlan;
  let out: Outcomes;
  let startNs = 0;
  let part: TrafficPlan['part'];
  let arrivalsNs: Float64Array;
  let clients: TrafficPlan['clients'];
  let visitors = 0;
  let stepCount = 1;
  let thinkNs = 0;
  let connectTimeoutNs = 0;
  let responseTimeoutNs = 0;
  let backoffNs = 0;
  let holdNs = 0;
  let connections: Connections;
  let pieces: RequestPieces[][][];
  let fdOfVisitor: Int32Array;
  let jars: (CookieJar | undefined)[];
  /** Of a part of a plan, the turn begins where that of its client's first visitor here would stand in the whole. */
  let nextTarget: Uint32Array;

  let connectionCount = 0;
  let generation = 0;
  let arrived = 0;
  /** Requests that are due and not ended, thinking visitors, and connections still open for their own sake. */
  let pending = 0;
  let ownFailures = 0;
  let bytesLeft = 0;
  let openedCount = 0;

  function begin(given: TrafficPlan, outcomes: Outcomes, start: number): void {
    plan = given;
    out = outcomes;
    startNs = start;
    ({ part, arrivalsNs, clients } = plan);
    visitors = arrivalsNs.length;
    stepCount = plan.steps.length;
    thinkNs = plan.thinkTimeMs * 1e6;
    connectTimeoutNs = plan.connectTimeoutMs * 1e6;
    responseTimeoutNs = plan.responseTimeoutMs * 1e6;
    backoffNs = plan.retry.backoffMs * 1e6;
    holdNs = (plan.holdForMs ?? 0) * 1e6;
    connections = openConnections(clients, events);
    pieces = requestPieces(plan, plan.close === 'server' && !keepAlive);
    fdOfVisitor = new Int32Array(visitors).fill(-1);
    jars = new Array(visitors);
    nextTarget = Uint32Array.from(clients, (_, client) =>
      part === undefined ? 0 : Math.floor(part.offsets[client] / part.clientsInAll),
    );
    timers.clear();
    connectionCount = 0;
    arrived = 0;
    pending = 0;
    ownFailures = 0;
  }

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
      cannotOpen(row, -fd);
      return;
    }
    phase[fd] = Phase.connecting;
    rowOf[fd] = row;
    visitorOf[fd] = visitor;
    generationOf[fd] = generation;
    connectionOf[fd] = out.connection[row];
    targetOf[fd] = target;
    retransmitsOf[fd] = 0;
    portOf[fd] = 0;
    opened[openedCount++] = fd;
    if (openedCount === opened.length) handOver();
  }

  /** Several handshakes begin within one call, each as long after the one before: that is the moment they are given. */
  function handOver(): void {
    if (openedCount === 0) return;
    const from = now();
    connections.handOver();
    const eachNs = openedCount === 1 ? 0 : (now() - from) / openedCount;
    for (let index = 0; index < openedCount; index++) handshakeBegun(opened[index], from + index * eachNs);
    openedCount = 0;
  }

  /** connect(2) has been called, at that moment. */
  function handshakeBegun(fd: number, at: number): void {
    const row = rowOf[fd];
    if (out.attempts[row] === 1) out.sentNs[row] = at;
    out.lastTryNs[row] = at;
    out.connectNs[row] = at;
    const code = connections.refusal(fd);
    if (code !== 0) {
      end(fd, false);
      cannotOpen(row, code);
      return;
    }
    portOf[fd] = connections.localPort(fd, out.client[row], targetOf[fd]);
    out.localPort[row] = portOf[fd];
    timers.connect.add(at + connectTimeoutNs, fd, generationOf[fd]);
  }

  function cannotOpen(row: number, code: number): void {
    if (isOwnFailure(code)) ownFailures++;
    fail(row, ClientError.syscall, code);
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
    const length = request.write(
      connections.room(),
      text,
      visitorNumber(part, visitor),
      tryIndex,
      jars[visitor]?.header(),
    );
    const code = connections.send(fd, request.bytes, length);
    if (code !== 0) {
      broken(fd, code);
      return;
    }
    timers.response.add(at + responseTimeoutNs, fd, generationOf[fd]);
  }

  /** Edge-triggered: what is not read now is not told again, the end of the stream included; it waits for its next turn. */
  function readable(fd: number, ending: boolean): void {
    for (;;) {
      const count = recv(fd, received, received.length, C.MSG_DONTWAIT);
      if (count > 0) {
        bytesLeft -= count;
        if (phase[fd] === Phase.waiting) take(fd, received, 0, count);
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
      if (fd < 0) continue;
      readable(fd, true);
      watchOn(fd);
    }
  }

  function take(fd: number, bytes: Buffer, from: number, count: number): void {
    const row = rowOf[fd];
    // Read once: what the parser takes is no part of the response's time.
    const at = now();
    if (Number.isNaN(out.firstByteNs[row])) out.firstByteNs[row] = at;
    parserOf[fd] ??= spareParsers.pop() ?? responseParser(known);
    const result = parserOf[fd].feed(bytes, from, from + count);
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
      fail(row, code === C.EPIPE ? ClientError.closedEarly : ClientError.reset, code);
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
    if (visitorGoesOn) timers.think.add(done + thinkNs, row + 1, 0);
    else leave(visitor);
  }

  /** What becomes of a connection whose response has arrived: kept, held, drained or closed. */
  function leaveConnection(fd: number, serverCloses: boolean, keep: boolean, lost: boolean, done: number): void {
    if (plan.holdForMs !== undefined && !serverCloses && !lost) {
      phase[fd] = Phase.holding;
      pending++;
      timers.hold.add(done + holdNs, fd, generationOf[fd]);
    } else if (keep && !serverCloses) phase[fd] = Phase.idle;
    else if (plan.close === 'server' && serverCloses) {
      phase[fd] = Phase.draining;
      pending++;
      timers.response.add(done + responseTimeoutNs, fd, generationOf[fd]);
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
      timers.retry.add(at + backoffNs, row, 0);
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
    const { fd: fds, generation: generations, mask: masks, result: results } = connections.events;
    for (let index = 0; index < count; index++) {
      const fd = fds[index];
      if (phase[fd] === Phase.closed || generationOf[fd] !== generations[index]) continue;
      const mask = masks[index];
      if (phase[fd] === Phase.connecting) shakenHands(fd, mask, index);
      const heardOf = mask & (C.EPOLLIN | ENDING) && results[index] !== NO_BYTES;
      if (heardOf && phase[fd] > Phase.connecting) heard(fd, index, (mask & ENDING) !== 0);
      watchOn(fd);
    }
  }

  function shakenHands(fd: number, mask: number, index: number): void {
    const code = mask & (C.EPOLLERR | C.EPOLLHUP) ? connections.handshakeError(index) : 0;
    if (code !== 0) {
      const row = rowOf[fd];
      out.synRetransmits[row] = retransmits(fd);
      end(fd, false);
      fail(row, ClientError.connectFailed, code);
    } else if (mask & C.EPOLLOUT) connected(fd);
  }

  /** Bytes or the end of the stream have come. */
  function heard(fd: number, index: number, ending: boolean): void {
    const { result, offset } = connections.events;
    const count = result[index];
    if (count === NOT_READ) {
      if (bytesLeft > 0) readable(fd, ending);
      else unread.add(fd);
    } else if (count < 0) broken(fd, -count);
    else if (count === 0) ended(fd);
    else {
      bytesLeft -= count;
      if (phase[fd] === Phase.waiting) take(fd, connections.received, offset[index], count);
      if (count < connections.mostBytes || phase[fd] === Phase.closed) return;
      if (bytesLeft > 0) readable(fd, true);
      else unread.add(fd);
    }
  }

  /** Those who stand in line for their turn need not be told of. */
  function watchOn(fd: number): void {
    if (phase[fd] !== Phase.closed && !unread.has(fd)) connections.watch(fd);
  }

  const whenDue: WhenDue = {
    stillThere: (fd, since) => generationOf[fd] === since && phase[fd] !== Phase.closed,
    connect(fd) {
      if (phase[fd] !== Phase.connecting) return;
      const row = rowOf[fd];
      out.synRetransmits[row] = retransmits(fd);
      end(fd, false);
      fail(row, ClientError.connectTimeout, C.ETIMEDOUT);
    },
    response(fd) {
      if (phase[fd] === Phase.draining) finish(fd);
      // A kept connection has a deadline of each of its requests: only that of the present one counts.
      else if (phase[fd] === Phase.waiting && now() >= out.lastTryNs[rowOf[fd]] + responseTimeoutNs) {
        const row = rowOf[fd];
        end(fd, true);
        fail(row, ClientError.responseTimeout, C.ETIMEDOUT);
      }
    },
    hold(fd) {
      if (phase[fd] === Phase.holding) finish(fd);
    },
    think: (row, dueNs) => come(row, dueNs, now()),
    retry: (row) => startTry(row, now()),
  };

  function nextMoment(): number {
    return Math.min(arrived < visitors ? arrivalsNs[arrived] : Number.POSITIVE_INFINITY, timers.next());
  }

  /** One round: what is due, what can be read, and a wait for what comes next. */
  function turn(): void {
    let at = now();
    // What is to be sent to those who have come before is no part of the next ones' moments.
    if (nextMoment() <= at) connections.flush();
    for (let sent = 0; sent < ARRIVALS_AT_A_TIME && arrived < visitors && arrivalsNs[arrived] <= at; sent++) {
      pending++;
      come(arrived * stepCount, arrivalsNs[arrived], at);
      arrived++;
      at = now();
    }
    timers.fire(at, whenDue);
    handOver();
    bytesLeft = BYTES_AT_A_TIME;
    readOn();
    const sleepNs = unread.length > 0 ? 0 : Math.min(nextMoment() - now(), LONGEST_SLEEP_NS);
    handleEvents(connections.wait(sleepNs));
  }

  return {
    send(given, outcomes, stop, start) {
      begin(given, outcomes, start);
      while ((arrived < visitors || pending > 0) && Atomics.load(stop, 0) === 0) turn();
      for (let fd = 0; fd < descriptors; fd++) if (phase[fd] !== Phase.closed) end(fd, false);
      connections.dispose();
      return { ownFailures, timer: events.timer };
    },
    dispose: () => events.dispose(),
  };
}
