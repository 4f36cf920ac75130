/** squid's access.log and cache.log, joined into what it saw of every request. */
import { Errno, errnoName } from '../../sys/errno.js';
import type { LogReading, Sighting, UpstreamResult, UpstreamTry } from '../kind.js';
import { type AccessLine, readAccessLine } from './access-log.js';
import { type CacheLog, readCacheLog } from './cache-log.js';
import { type Leader, leaders } from './leaders.js';

/** Reads both logs, and the configuration for what a refusal without any try may be due to. */
export function readSquidLogs(host: string, accessLog: string, cacheLog: string, config: string): LogReading {
  const events = readCacheLog(cacheLog);
  const lines = accessLog.split('\n').flatMap((line) => readAccessLine(line) ?? []);
  const leaderOf = leaders(lines);
  const limited = limitedPeers(config);
  return {
    sightings: lines.map((access) => sightingOf(host, access, events, limited, leaderOf)),
    incidents: events.shortages.map(({ at, line }) => ({ host, at, cause: 'file-limit', evidence: line })),
  };
}

/** Names of the peers whose connections are limited. */
function limitedPeers(config: string): string[] {
  return [...config.matchAll(/^\s*cache_peer\s+(\S+)(.*)$/gm)]
    .filter(([, , options]) => /\smax-conn=\d/.test(options))
    .map(([, address, options]) => /\sname=(\S+)/.exec(options)?.[1] ?? address);
}

/** nginx's status for a client that closed before its answer, used for all proxies. */
const CLIENT_LEFT = 499;

function sightingOf(
  host: string,
  access: AccessLine,
  events: CacheLog,
  limited: string[],
  leaderOf: (access: AccessLine) => Leader | undefined,
): Sighting {
  const left = access.tag.includes('ABORTED') && access.status === 0;
  return {
    id: access.id,
    host,
    startedAt: access.startedAt,
    endedAt: access.endedAt,
    status: left ? CLIENT_LEFT : access.status,
    peer: access.peer,
    tries: triesOf(access, events, limited, leaderOf),
    evidence: access.line,
  };
}

function triesOf(
  access: AccessLine,
  events: CacheLog,
  limited: string[],
  leaderOf: (access: AccessLine) => Leader | undefined,
): UpstreamTry[] {
  const failed = events.failures.get(access.transaction) ?? [];
  const earlier = failed.map(
    ({ to, at, errno, markedDown, line }): UpstreamTry => ({
      to,
      result: BY_ERRNO[errno] ?? 'connect-failed',
      endedAt: at,
      evidence: said(errno, line),
      ...(markedDown ? { markedDown } : {}),
    }),
  );
  const last = lastTry(access, events, limited, leaderOf);
  if (last === undefined) return earlier;
  // The access log has the errno of the last one.
  if (access.error === 'ERR_CONNECT_FAIL' && earlier.at(-1)?.to === last.to)
    return [...earlier.slice(0, -1), { ...earlier.at(-1), ...last }];
  return [...earlier, last];
}

function lastTry(
  access: AccessLine,
  events: CacheLog,
  limited: string[],
  leaderOf: (access: AccessLine) => Leader | undefined,
): UpstreamTry | undefined {
  const { endedAt, error, line } = access;
  if (access.backend === undefined) {
    if (access.hierarchy === 'HIER_NONE' && error !== undefined && access.status >= 500) {
      const full = limited.find((name) => !events.dead(name, endedAt));
      return { to: undefined, result: full ? 'connection-limit' : 'no-live-backend', endedAt, evidence: line };
    }
    const leader = leaderOf(access);
    return leader && { ...leader, endedAt, evidence: `waited for the answer to ${leader.evidence}` };
  }
  const connected = access.local !== undefined;
  const errno = access.errno || (connected ? 0 : (events.errnos.get(access.transaction) ?? 0));
  const how = {
    to: access.backend,
    endedAt,
    ...(access.local === undefined ? {} : { from: access.local }),
    ...(access.answerMs === undefined || access.answerMs === 0 || access.serverMs === undefined
      ? {}
      : { connectMs: Math.max(0, access.serverMs - access.answerMs) }),
  };
  return { ...how, result: resultOf(error, errno, connected), evidence: said(errno, line) };
}

/** The line, and in words what it has as a number. */
const said = (errno: number, line: string) => (errno === 0 ? line : `${errnoName(errno)}: ${line}`);

/** errno of a connection that did not come about, to the result. */
const BY_ERRNO: Record<number, UpstreamResult> = {
  [Errno.ENFILE]: 'file-limit',
  [Errno.EMFILE]: 'file-limit',
  [Errno.EADDRINUSE]: 'no-local-port',
  [Errno.EADDRNOTAVAIL]: 'no-local-port',
  [Errno.ENETUNREACH]: 'unreachable',
  [Errno.ECONNRESET]: 'reset',
  [Errno.ETIMEDOUT]: 'connect-timeout',
  [Errno.ECONNREFUSED]: 'refused',
  [Errno.EHOSTUNREACH]: 'unreachable',
};

/** How the last try ended, by squid's own error (src/error/forward.h). */
function resultOf(error: string | undefined, errno: number, connected: boolean): UpstreamResult {
  switch (error) {
    case undefined:
      return 'answered';
    case 'ERR_CONNECT_FAIL':
    case 'ERR_SOCKET_FAILURE':
      return BY_ERRNO[errno] ?? 'connect-failed';
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
