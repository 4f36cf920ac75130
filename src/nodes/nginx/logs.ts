/** nginx's access log and error log, joined into what it saw of every request. */
import { groupBy } from '../../collections.js';
import type { Cause } from '../../ledger/causes.js';
import {
  CLIENT_LEFT,
  type Incident,
  type LogReading,
  type Sighting,
  type UpstreamResult,
  type UpstreamTry,
} from '../kind.js';

/** One line of the access log, as `config.ts` has it written. Several tries are lists, `a, b`. */
interface AccessLine {
  id: string;
  /** Unix time of the end, s. */
  at: number;
  /** Seconds since the request's first byte. */
  took: number;
  status: number;
  connection: number;
  peer: string;
  request: string;
  upstream: string;
  upstreamStatus: string;
  connectTime: string;
  headerTime: string;
  responseTime: string;
}

/** One line of the error log. */
interface ErrorLine {
  /** Unix time in ms; nginx writes whole seconds. */
  at: number;
  connection: number | undefined;
  /** The message without time and process. */
  words: string;
  request: string | undefined;
  /** Backend's `address:port`, or the upstream block's name. */
  upstream: string | undefined;
  line: string;
}

/** nginx keeps its clock per event loop round: the two logs may differ by a little more than the second that is cut off. */
const CLOCK_SLACK_MS = 250;

/** Reads both logs, written under that configuration; the error log must be in UTC. */
export function readNginxLogs(host: string, accessLog: string, errorLog: string, configuration: string): LogReading {
  const errors = tellBusyFromDown(
    errorLog.split('\n').flatMap((line) => readErrorLine(line) ?? []),
    configuration,
  );
  const open = groupBy(
    errors.filter((error) => error.connection !== undefined),
    (error) => error.connection!,
  );
  const sightings: Sighting[] = [];
  for (const line of accessLog.split('\n')) {
    const access = readAccessLine(line);
    if (!access) continue;
    sightings.push(sightingOf(host, access, line, open.get(access.connection) ?? []));
  }
  return { sightings, incidents: errors.flatMap((error) => incidentOf(host, error) ?? []) };
}

/** undefined for an empty line and for one that was cut off when the process was killed. */
function readAccessLine(line: string): AccessLine | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as AccessLine;
  } catch {
    return undefined;
  }
}

const ERROR_LINE = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d) \[\w+\] \d+#\d+: (?:\*(\d+) )?(.*)$/;

/** undefined for a line of another form: the continuation of a message. */
function readErrorLine(line: string): ErrorLine | undefined {
  const match = ERROR_LINE.exec(line);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
  return {
    at: Date.UTC(year, month - 1, day, hour, minute, second),
    connection: match[7] === undefined ? undefined : Number(match[7]),
    words: match[8],
    request: /, request: "(.*?)"(?:, |$)/.exec(match[8])?.[1],
    upstream: /, upstream: "\w+:\/\/([^/"]+)/.exec(match[8])?.[1],
    line,
  };
}

/**
 * nginx has the same words for "every backend is held down" and "every backend has its `max_conns`". Where that limit is set and no
 * backend has been disabled within the time that it would be left out, it was the limit.
 */
function tellBusyFromDown(errors: ErrorLine[], configuration: string): ErrorLine[] {
  if (!/\bmax_conns=[1-9]/.test(configuration)) return errors;
  const heldMs =
    Math.max(0, ...[...configuration.matchAll(/fail_timeout=(\d+)s/g)].map(([, text]) => Number(text))) * 1000;
  let disabledAt = Number.NEGATIVE_INFINITY;
  return errors.map((error) => {
    if (error.words.startsWith('upstream server temporarily disabled')) disabledAt = error.at;
    const busy = error.words.startsWith(ALL_DOWN) && error.at - disabledAt > heldMs + 1000;
    return busy ? { ...error, words: `${ALL_BUSY}: ${error.words}` } : error;
  });
}

const ALL_DOWN = 'no live upstreams';
const ALL_BUSY = 'max_conns reached';

/** Removes from `open`, the connection's error lines not yet told of, those that belong to this request. */
function sightingOf(host: string, access: AccessLine, line: string, open: ErrorLine[]): Sighting {
  const endedAt = access.at * 1000;
  const startedAt = endedAt - access.took * 1000;
  const belongs = (error: ErrorLine) =>
    error.request === access.request &&
    error.at + 1000 + CLOCK_SLACK_MS >= startedAt &&
    error.at - CLOCK_SLACK_MS <= endedAt;
  const take = (wanted: (error: ErrorLine) => boolean) => {
    const index = open.findIndex((error) => belongs(error) && wanted(error));
    return index < 0 ? undefined : open.splice(index, 1)[0];
  };
  const tries = triesOf(access, startedAt, line, take);
  const limit = tries.length === 0 ? take((error) => refusalCause(error.words) !== undefined) : undefined;
  return {
    id: access.id,
    host,
    startedAt,
    endedAt,
    status: access.status,
    peer: access.peer,
    tries,
    refusal: limit && { cause: refusalCause(limit.words)!, evidence: limit.line },
    evidence: line,
  };
}

/** A list of one value per try; ` : ` parts the tries of an internal redirect (ngx_http_upstream_module). */
const perTry = (list: string) => (list === '' ? [] : list.split(/, | : /));

function triesOf(
  access: AccessLine,
  startedAt: number,
  line: string,
  take: (wanted: (error: ErrorLine) => boolean) => ErrorLine | undefined,
): UpstreamTry[] {
  const [connect, header, response] = [access.connectTime, access.headerTime, access.responseTime].map(perTry);
  let endedAt = startedAt;
  return perTry(access.upstream).map((to, index): UpstreamTry => {
    endedAt += (Number(response[index]) || 0) * 1000;
    const chosen = /:\d+$/.test(to) ? to : undefined;
    const answered = Number.isFinite(Number.parseFloat(header[index]));
    // Not every line of a try tells its end: "upstream server temporarily disabled" follows the one that does.
    const error = take(
      ({ upstream, words }) =>
        upstream === to && resultOf(words) !== undefined && (!answered || words.includes(MID_ANSWER)),
    );
    const connectMs = Number.parseFloat(connect[index]) * 1000;
    const connected = Number.isFinite(connectMs);
    const how = { to: chosen, endedAt, ...(connected ? { connectMs } : {}) };
    if (error) return { ...how, result: resultOf(error.words)!, evidence: error.line };
    if (answered) return { ...how, result: 'answered', evidence: line };
    if (access.status === CLIENT_LEFT)
      return { ...how, result: connected ? 'response-timeout' : 'connect-timeout', evidence: line };
    return { ...how, result: 'failed', evidence: line };
  });
}

/** nginx's words for a backend that failed after it had begun to answer. */
const MID_ANSWER = 'while reading upstream';

/** errno in the message, as `connect() failed (99: Cannot assign requested address)`, to the result. */
const BY_ERRNO: Record<string, UpstreamResult> = {
  24: 'file-limit',
  32: 'reset',
  98: 'no-local-port',
  99: 'no-local-port',
  101: 'unreachable',
  104: 'reset',
  111: 'refused',
  113: 'unreachable',
};

/** How a try ended, by nginx's own words (src/http/ngx_http_upstream.c, src/event/ngx_event_connect.c). */
function resultOf(words: string): UpstreamResult | undefined {
  if (words.startsWith(ALL_DOWN)) return 'no-live-backend';
  if (words.startsWith(ALL_BUSY)) return 'connection-limit';
  if (words.includes('worker_connections are not enough')) return 'connection-limit';
  if (words.startsWith('upstream prematurely closed')) return 'closed-early';
  const code = /failed \((\d+): /.exec(words)?.[1];
  if (words.startsWith('upstream timed out') || code === '110')
    return words.includes('while connecting to upstream') ? 'connect-timeout' : 'response-timeout';
  return code === undefined ? undefined : BY_ERRNO[code];
}

/** A limit that refused the request before any backend was tried. */
function refusalCause(words: string): Cause | undefined {
  if (words.startsWith('limiting connections')) return 'connection-limit';
  if (words.startsWith('limiting requests')) return 'throttled';
  if (words.includes('worker_connections are not enough')) return 'connection-limit';
  if (/failed \(24: /.test(words)) return 'file-limit';
  return undefined;
}

/** Trouble with the listener itself names no connection: the client's one was never taken up. */
function incidentOf(host: string, error: ErrorLine): Incident | undefined {
  if (error.connection !== undefined) return undefined;
  const cause: Cause | undefined = error.words.includes('worker_connections are not enough')
    ? 'connection-limit'
    : /^accept4?\(\) failed \(2[34]: /.test(error.words)
      ? 'file-limit'
      : undefined;
  return cause && { host, at: error.at, cause, evidence: error.line };
}
