/** How squid tried to reach a server for one request, and how each try ended. */
import { Errno, errnoName } from '../../sys/errno.js';
import type { UpstreamResult, UpstreamTry } from '../kind.js';
import { resultOfErrno } from '../upstream-result.js';
import type { AccessLine } from './access-log.js';
import type { CacheLog, FailedConnection } from './cache-log.js';
import type { Leader } from './leaders.js';

/** What else the logs tell. */
export interface Knowledge {
  events: CacheLog;
  /** The request whose answer this one waited for. */
  leaderOf(access: AccessLine): Leader | undefined;
  /** Whether a peer was alive, and so only its limit of connections was in the way. */
  onlyFull(access: AccessLine): boolean;
}

/** The tries of a request in their order: the access log tells of the last one, cache.log of failed ones before it. */
export function triesOf(access: AccessLine, known: Knowledge): UpstreamTry[] {
  const earlier = known.events.failures(access).map((failed) => earlierTry(access, failed));
  const last = lastTry(access, known);
  if (last === undefined) return earlier;
  // The access log has the errno of connect().
  if (access.error === 'ERR_CONNECT_FAIL' && earlier.at(-1)?.to === last.to)
    return [...earlier.slice(0, -1), { ...earlier.at(-1), ...last }];
  return [...earlier, last];
}

function earlierTry(access: AccessLine, { to, second, errno, markedDown, line }: FailedConnection): UpstreamTry {
  return {
    to,
    result: resultOfErrno(errno) ?? 'connect-failed',
    endedAt: Math.min(Math.max(second, access.startedAt), access.endedAt),
    ...(markedDown ? { markedDown } : {}),
    evidence: said(errno, line),
  };
}

function lastTry(access: AccessLine, { events, leaderOf, onlyFull }: Knowledge): UpstreamTry | undefined {
  const { endedAt, error, line } = access;
  if (access.backend === undefined) {
    if (access.hierarchy === 'HIER_NONE' && error !== undefined && access.status >= 500) {
      return {
        to: undefined,
        result: onlyFull(access) ? 'connection-limit' : 'no-live-backend',
        endedAt,
        evidence: line,
      };
    }
    const leader = leaderOf(access);
    return leader && { ...leader, endedAt, evidence: `waited for the answer to ${leader.evidence}` };
  }
  const connected = access.local !== undefined;
  const errno = access.errno || (connected ? 0 : events.errnoOf(access));
  return {
    to: access.backend,
    endedAt,
    ...(access.local === undefined ? {} : { from: access.local }),
    ...(access.answerMs === undefined || access.answerMs === 0 || access.serverMs === undefined
      ? {}
      : { connectMs: Math.max(0, access.serverMs - access.answerMs) }),
    result: resultOf(error, errno, connected),
    evidence: said(errno, line),
  };
}

/** The line, and in words what it has as a number. */
const said = (errno: number, line: string) => (errno === 0 ? line : `${errnoName(errno)}: ${line}`);

/** How the last try ended, by squid's own error (src/error/forward.h). */
function resultOf(error: string | undefined, errno: number, connected: boolean): UpstreamResult {
  switch (error) {
    case undefined:
      return 'answered';
    case 'ERR_CONNECT_FAIL':
    case 'ERR_SOCKET_FAILURE':
      return resultOfErrno(errno) ?? 'connect-failed';
    case 'ERR_CLIENT_GONE':
      return connected ? 'response-timeout' : 'connect-timeout';
    case 'ERR_READ_TIMEOUT':
      return 'response-timeout';
    case 'ERR_READ_ERROR':
    case 'ERR_WRITE_ERROR':
      return errno === Errno.ECONNRESET || errno === Errno.EPIPE ? 'reset' : 'closed-early';
    case 'ERR_ZERO_SIZE_OBJECT':
      return 'closed-early';
    default:
      return 'failed';
  }
}
