/**
 * The undici engine's sending loop: arrivals, think times, retries and time-outs on Node's event loop.
 *
 *     arrival or think time due -> a lane (new, kept, or from the pool) -> undici -> next step, retry, or end
 */
import type { Dispatcher } from 'undici';
import { type DeadlineQueue, deadlineQueue } from '../../deadline-queue.js';
import { C } from '../../sys/libc.js';
import { type CookieJar, cookieJar } from '../cookies.js';
import { clientOf, requestId, requestTarget, type TrafficPlan, visitorNumber } from '../engine.js';
import { isLost, isOwnFailure, isSoldOut } from '../judgement.js';
import { ClientError, type Outcomes, RequestState } from '../outcomes.js';
import { giveUpConnecting, type Lane, type LaneEvents } from './lane.js';
import { type LaneSupply, laneSupply } from './lane-supply.js';
import { pacer } from './pacer.js';
import { type Failure, responseFailure } from './socket.js';

/** Arrivals sent before the event loop is asked for events again, so that a burst does not make answers look late. */
const ARRIVALS_AT_A_TIME = 32;

/** A plan on its way. */
export interface Sending {
  /** Resolves when the last request has ended or `stop` was called: how often the generator itself ran out of something. */
  finished: Promise<number>;
  /** Ends it early: open requests are left `underWay`, and all lanes are closed. */
  stop(): void;
}

/** Starts sending at CLOCK_MONOTONIC `startNs`. A mistake of this program's own ends the thread with an exception. */
export function startSending(plan: TrafficPlan, out: Outcomes, startNs: number): Sending {
  const { arrivalsNs, steps, clients } = plan;
  const visitors = arrivalsNs.length;
  const stepCount = steps.length;
  const perRequest = plan.connections.mode === 'per-request';
  const connectTimeoutNs = plan.connectTimeoutMs * 1e6;
  const responseTimeoutNs = plan.responseTimeoutMs * 1e6;
  const originNs = BigInt(startNs);
  const now = () => Number(process.hrtime.bigint() - originNs);

  const connectDeadlines = deadlineQueue();
  const responseDeadlines = deadlineQueue();
  const poolDeadlines = deadlineQueue();
  const thinkers = deadlineQueue();
  const retries = deadlineQueue();
  const jars = new Map<number, CookieJar>();
  const lanes = new Map<number, Lane>();

  let connectionCount = 0;
  let arrived = 0;
  /** Visitors who have come and not ended. */
  let present = 0;
  let ownFailures = 0;
  let ended = false;
  let finish: (ownFailures: number) => void;
  const finished = new Promise<number>((resolve) => {
    finish = resolve;
  });

  const events: LaneEvents = {
    now,
    opening(lane) {
      const { row } = lane;
      out.connectNs[row] = now();
      connectDeadlines.add(out.connectNs[row] + connectTimeoutNs, row, out.attempts[row]);
      rearrange();
      return connectionCount++;
    },
    opened: noteConnection,
    connected(lane) {
      if (ended) return;
      out.connectedNs[lane.row] = now();
      noteConnection(lane);
    },
  };
  const supply: LaneSupply = laneSupply(plan, events);
  const pace = pacer(now, tick);

  function noteConnection(lane: Lane): void {
    const { row } = lane;
    out.connection[row] = lane.connection;
    out.localPort[row] = lane.localPort;
    out.target[row] = lane.target;
    out.synRetransmits[row] = lane.synRetransmits;
  }

  const visitorOf = (row: number) => Math.floor(row / stepCount);

  function come(row: number, dueNs: number): void {
    out.dueNs[row] = dueNs;
    out.client[row] = clientOf(visitorOf(row), clients.length);
    out.state[row] = RequestState.underWay;
    startTry(row);
  }

  function startTry(row: number): void {
    const started = now();
    if (out.attempts[row] === 0) out.sentNs[row] = started;
    out.lastTryNs[row] = started;
    out.attempts[row] = Math.min(255, out.attempts[row] + 1);
    for (const column of ['connectNs', 'connectedNs', 'firstByteNs'] as const) out[column][row] = Number.NaN;
    out.connection[row] = -1;
    out.localPort[row] = 0;
    const lane = supply.take(out.client[row], visitorOf(row));
    if (lane !== undefined) {
      dispatch(lane, row);
      return;
    }
    supply.wait(out.client[row], row);
    poolDeadlines.add(started + connectTimeoutNs, row, out.attempts[row]);
  }

  function dispatch(lane: Lane, row: number): void {
    const visitor = visitorOf(row);
    const stepIndex = row - visitor * stepCount;
    const step = steps[stepIndex];
    const headers: Record<string, string> = {
      'X-Request-Id': requestId(plan.idPrefix, visitorNumber(plan.part, visitor), stepIndex, out.attempts[row] - 1),
    };
    const cookies = jars.get(visitor)?.header();
    if (cookies !== undefined) headers.Cookie = cookies;
    const target = clients[lane.host].targets[lane.target];
    if (target.origin !== undefined) headers.Host = target.origin;
    lane.row = row;
    lanes.set(row, lane);
    lane.client.dispatch(
      {
        method: step.method,
        path: requestTarget(target, step.path),
        headers,
        body: step.body === '' ? null : step.body,
      },
      handlerOf(lane, row, visitor),
    );
  }

  function handlerOf(lane: Lane, row: number, visitor: number): Dispatcher.DispatchHandler {
    return {
      onRequestStart(controller) {
        lane.abort = (reason) => controller.abort(reason);
        noteConnection(lane);
        responseDeadlines.add(now() + responseTimeoutNs, row, out.attempts[row]);
        rearrange();
      },
      onResponseStart(_controller, status, headers) {
        if (status < 200) return;
        // undici tells of the head as a whole: this is the first byte plus what the head took to arrive.
        out.firstByteNs[row] = now();
        out.status[row] = status;
        keepCookies(visitor, headers['set-cookie']);
      },
      onResponseEnd() {
        if (!ended) answered(lane, row);
      },
      onResponseError(_controller, error) {
        // Closing the lanes at the end fails what a stop has left under way.
        if (ended) return;
        const failure = lane.failure ?? responseFailure(error);
        noteConnection(lane);
        leave(lane, row, false);
        fail(row, failure);
        rearrange();
      },
    };
  }

  function keepCookies(visitor: number, lines: string | string[] | undefined): void {
    if (lines === undefined) return;
    const jar = jars.get(visitor) ?? cookieJar();
    jars.set(visitor, jar);
    for (const line of [lines].flat()) jar.keep(line);
  }

  function answered(lane: Lane, row: number): void {
    const done = now();
    const status = out.status[row];
    const visitor = visitorOf(row);
    const lost = isLost(status);
    leave(lane, row, true);
    if (lost) fail(row, { error: ClientError.status, errno: 0 });
    else {
      const soldOut = isSoldOut(status, stepCount);
      out.doneNs[row] = done;
      out.soldOut[row] = soldOut ? 1 : 0;
      out.error[row] = ClientError.none;
      out.errno[row] = 0;
      out.state[row] = RequestState.completed;
      if (soldOut || row === visitor * stepCount + stepCount - 1) visitorEnds(visitor);
      else thinkers.add(done + plan.thinkTimeMs * 1e6, row + 1, 0);
    }
    rearrange();
  }

  /** Frees a lane from its request; one whose connection has failed is not used again. */
  function leave(lane: Lane, row: number, usable: boolean): void {
    lanes.delete(row);
    lane.row = -1;
    lane.failure = undefined;
    lane.abort = undefined;
    const next = supply.giveBack(lane, visitorOf(row), usable && !perRequest);
    if (next !== undefined) dispatch(next.lane, next.row);
  }

  function fail(row: number, { error, errno }: Failure): void {
    if (isOwnFailure(errno)) ownFailures++;
    const at = now();
    out.error[row] = error;
    out.errno[row] = errno;
    if (error !== ClientError.status) out.status[row] = 0;
    if (out.attempts[row] <= plan.retry.attempts) {
      retries.add(at + plan.retry.backoffMs * 1e6, row, 0);
      return;
    }
    out.doneNs[row] = at;
    out.state[row] = RequestState.dropped;
    visitorEnds(visitorOf(row));
  }

  function visitorEnds(visitor: number): void {
    present--;
    jars.delete(visitor);
    supply.visitorEnds(visitor);
  }

  /** Whether a deadline's try is still the present one. */
  function isPresent(row: number, attempt: number): boolean {
    return out.state[row] === RequestState.underWay && out.attempts[row] === attempt && Number.isNaN(out.doneNs[row]);
  }

  function connectExpired(row: number): void {
    const lane = lanes.get(row);
    if (lane?.connecting) giveUpConnecting(lane, { error: ClientError.connectTimeout, errno: C.ETIMEDOUT });
  }

  function responseExpired(row: number): void {
    const lane = lanes.get(row);
    if (lane?.abort === undefined) return;
    lane.failure = { error: ClientError.responseTimeout, errno: C.ETIMEDOUT };
    lane.abort(new Error('response time-out'));
  }

  /** No connection of the pool became free in time: a connect time-out without any connect(). */
  function poolExpired(row: number): void {
    if (supply.stopWaiting(out.client[row], row)) fail(row, { error: ClientError.connectTimeout, errno: 0 });
  }

  function expire(queue: DeadlineQueue, at: number, expired: (row: number) => void): void {
    while (queue.first() !== Number.POSITIVE_INFINITY) {
      const row = queue.subject();
      const meant = isPresent(row, queue.generation());
      if (meant && queue.first() > at) return;
      queue.remove();
      if (meant) expired(row);
    }
  }

  function tick(): void {
    let at = now();
    for (let sent = 0; sent < ARRIVALS_AT_A_TIME && arrived < visitors && arrivalsNs[arrived] <= at; sent++) {
      present++;
      come(arrived * stepCount, arrivalsNs[arrived]);
      arrived++;
      at = now();
    }
    while (thinkers.first() <= at) {
      const row = thinkers.subject();
      const due = thinkers.first();
      thinkers.remove();
      come(row, due);
    }
    while (retries.first() <= at) {
      const row = retries.subject();
      retries.remove();
      startTry(row);
    }
    expire(connectDeadlines, at, connectExpired);
    expire(responseDeadlines, at, responseExpired);
    expire(poolDeadlines, at, poolExpired);
    rearrange();
  }

  /** Arranges the next wake-up, or ends when nothing is left to wait for. */
  function rearrange(): void {
    if (arrived === visitors && present === 0) {
      end();
      return;
    }
    const arrival = arrived < visitors ? arrivalsNs[arrived] : Number.POSITIVE_INFINITY;
    pace.arrange(
      Math.min(arrival, thinkers.first(), retries.first()),
      Math.min(connectDeadlines.first(), responseDeadlines.first(), poolDeadlines.first()),
    );
  }

  function end(): void {
    ended = true;
    pace.cancel();
    supply.closeAll();
    finish(ownFailures);
  }

  rearrange();
  return { finished, stop: end };
}
