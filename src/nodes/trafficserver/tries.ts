/** How Traffic Server tried to reach a backend for one request, and how each try ended. */
import type { UpstreamResult, UpstreamTry } from '../kind.js';
import type { AccessLine } from './access-log.js';
import { type Parents, triedBefore } from './parents.js';

/** A handshake that took this long had repeated its SYN (TCP_TIMEOUT_INIT is 1 s), ms: one that failed sooner did not time out. */
const LONG_MS = 900;
/** `per_server.connection.queue_delay`: how often a request that waits looks again, ms. Half of it is more than any other delay. */
const QUEUE_LOOKS_MS = 50;

/** In the reason phrase where all backends had as many connections as they may (`handle_parent_died`). */
const CONGESTED = 'Congested';

/** How long a request stood in the queue for a backend, ms; undefined where it did not. */
export function queuedMsOf(access: AccessLine): number | undefined {
  const { attempts, firstConnectAt, lastConnectAt, endedAt } = access;
  const waited = lastConnectAt - firstConnectAt;
  if (attempts > 0 || waited < QUEUE_LOOKS_MS) return undefined;
  // It had left before it looked again.
  return stillQueued(access) ? endedAt - firstConnectAt : waited;
}

/** It waited, and never began a connection. */
function stillQueued(access: AccessLine): boolean {
  return clientLeft(access) && !isConnected(access) && access.lastConnectAt - access.firstConnectAt >= QUEUE_LOOKS_MS;
}

/** The client was gone before anything was sent to it. */
export const clientLeft = ({ status, result }: AccessLine) => status === 0 && result.startsWith('ERR_CLIENT_');

const isConnected = ({ sentAt, lastConnectAt }: AccessLine) => sentAt > 0 && sentAt >= lastConnectAt;

/** The tries of a request in their order. The access log counts them and tells of the last one only. */
export function triesOf(access: AccessLine, parents: Parents): UpstreamTry[] {
  const { backend, status, serverStatus, result, endedAt, line } = access;
  if (backend === undefined) {
    const refused = status >= 500 && serverStatus === 0 && result === 'ERR_CONNECT_FAIL';
    return refused ? [{ to: undefined, result: 'no-live-backend', endedAt, evidence: line }] : [];
  }
  if (access.attempts === 0 && stillQueued(access)) return [];
  const count = countOf(access, parents);
  const last = resultOf(access);
  const { firstConnectAt, lastConnectAt, sentAt } = access;
  const eachMs = count > 1 ? (lastConnectAt - firstConnectAt) / (count - 1) : 0;
  const tries: UpstreamTry[] = [];
  for (let index = 0; index < count - 1; index++) {
    const startedAt = Math.round(firstConnectAt + index * eachMs);
    tries.push({
      to: triedBefore(parents, backend, count, count - 1 - index),
      result: earlierResult(last, eachMs),
      startedAt,
      endedAt: Math.round(firstConnectAt + (index + 1) * eachMs),
      evidence: `try ${index + 1} of ${count}: ${line}`,
    });
  }
  tries.push({
    to: backend,
    result: last,
    startedAt: queuedMsOf(access) === undefined && count === 1 ? firstConnectAt : lastConnectAt,
    endedAt,
    ...(isConnected(access) ? { connectMs: sentAt - lastConnectAt } : {}),
    evidence: line,
  });
  return tries;
}

/** How a try before the last one ended: the log tells only how long it took. */
function earlierResult(last: UpstreamResult, tookMs: number): UpstreamResult {
  const quick = tookMs < LONG_MS;
  if (last === 'answered') return quick ? 'connect-failed' : 'failed';
  return last === 'connect-timeout' && quick ? 'connect-failed' : last;
}

/** Tries in all: `sca` counts those after the first one, and one that found no backend left for it. */
function countOf({ attempts, serverStatus, status, reason }: AccessLine, { more }: Parents): number {
  // At a limit it looks again as often as it would try, and asks nobody.
  if (reason.includes(CONGESTED)) return 1;
  const failed = serverStatus === 0 && status >= 500;
  return failed && attempts > 0 && attempts < more ? attempts : attempts + 1;
}

/** How the last try ended. Why a connection did not come about the log does not tell: it has ENOTCONN for every reason. */
function resultOf(access: AccessLine): UpstreamResult {
  const { serverStatus, serverEnd, status, reason, connectEndAt, lastConnectAt, result } = access;
  if (serverStatus > 0) {
    if (serverEnd === 'TIMEOUT') return 'response-timeout';
    return result === 'ERR_READ_ERROR' ? 'closed-early' : 'answered';
  }
  if (reason.includes(CONGESTED)) return 'connection-limit';
  if (isConnected(access)) {
    if (clientLeft(access) || serverEnd === 'TIMEOUT' || status === 504) return 'response-timeout';
    return status >= 500 ? 'closed-early' : 'failed';
  }
  if (clientLeft(access) || connectEndAt - lastConnectAt >= LONG_MS) return 'connect-timeout';
  return 'connect-failed';
}
