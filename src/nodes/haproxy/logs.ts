/** haproxy's log: what it saw of every request, of its backends' health, and of its own limits. */
import type { Cause } from '../../ledger/causes.js';
import type { Incident, LogReading, Sighting, UpstreamTry } from '../kind.js';
import { LIMITS } from './config.js';
import { failedChecks, serverAddresses } from './health.js';
import { type LimitReached, limitsOf } from './limits.js';
import { stillQueued } from './queue.js';
import { portShortages, type Shortage, tryResult } from './tries.js';

/** One request's line, as `config.ts` has it written. Times are ms; -1 is what was not reached. */
export interface RequestLine {
  id: string;
  /** Unix time of accept(), or of the request before on the same connection, s. */
  accept: string;
  handshake: number;
  /** Between `accept` and the request's first byte. */
  idle: number;
  /** From the request's first byte to the end of its answer. */
  active: number;
  /** In the queues of backend and server. */
  queue: number;
  connect: number;
  response: number;
  status: number;
  /** Four letters: what ended it, and in which state; then two of persistence (configuration manual 8.5). */
  state: string;
  peer: string;
  /** `backend/server`; the server is `<NOSRV>` where none was chosen. */
  server: string;
  to: string;
  from: string;
  /** Count of retries, with a `+` where the last one went to another server. */
  retries: string;
  /** Number of the backend connection's error; `-` where there is none, or no connection. */
  error: string;
  errorText: string;
  limit: string;
  queues: string;
  /** Client connections of the process, and of the frontend, at the end of this request. */
  connections: string;
  frontend: string;
  request: string;
}

/** A line of the log with its time. */
export interface LogLine {
  /** Unix time in ms, to the microsecond. */
  at: number;
  text: string;
}

/** RFC 5424: priority, version, time, host, program, process id, message id, structured data. */
const LINE = /^<\d+>1 (\S+) \S+ \S+ \d+ \S+ - (.*)$/;

/** Of the log's moments at a limit one per this time is kept: those around it tell nothing new, ms. */
const INCIDENT_EVERY_MS = 500;

/** What haproxy left behind. */
export interface HaproxyTexts {
  log: string;
  /** The configuration that it ran with. */
  config: string;
  /** What the Runtime API said to `show info; show stat` at the start. */
  state: string;
  /** What it said to `show sess all` at the end; '' where nothing can wait in a queue. */
  open: string;
}

/** Reads the log, and what haproxy said of itself beside it. */
export function readHaproxyLog(host: string, { log, config, state, open }: HaproxyTexts): LogReading {
  const lines = log.split('\n').flatMap((line): LogLine[] => {
    const [, time, text] = LINE.exec(line) ?? [];
    return time === undefined ? [] : [{ at: unixMs(time), text }];
  });
  const shortages = portShortages(lines);
  const limits = limitsOf(state, config);
  const sightings: Sighting[] = [];
  const incidents: Incident[] = [];
  for (const { at, text } of lines) {
    const line = readRequestLine(text);
    if (line === undefined) continue;
    const reached = limits(line);
    if (reached !== undefined && at >= (incidents.at(-1)?.at ?? 0) + INCIDENT_EVERY_MS)
      incidents.push(incidentOf(host, at, reached));
    if (line.id !== '') sightings.push(sightingOf(host, line, text, at, shortages));
  }
  return {
    sightings: [...sightings, ...failedChecks(host, lines, serverAddresses(config))],
    incidents: [...incidents, ...stillQueued(host, open)],
  };
}

/** Date keeps whole milliseconds; the microseconds behind them come back. */
function unixMs(time: string): number {
  return Date.parse(time) + Number(`0.${/\.\d{3}(\d+)/.exec(time)?.[1] ?? 0}`);
}

/** undefined for another message, and for a line that was cut off when the process was killed. */
function readRequestLine(text: string): RequestLine | undefined {
  if (!text.startsWith('{"id":')) return undefined;
  try {
    return JSON.parse(text) as RequestLine;
  } catch {
    return undefined;
  }
}

/** What the manual calls -1 where a request or its answer never was. */
const CLIENT_LEFT = 499;

function sightingOf(host: string, line: RequestLine, evidence: string, at: number, shortages: Shortage[]): Sighting {
  const startedAt = Number(line.accept) * 1000 + line.handshake + Math.max(0, line.idle);
  const endedAt = startedAt + Math.max(0, line.active);
  const refusal = refusalCause(line);
  return {
    id: line.id,
    host,
    startedAt,
    endedAt,
    status: line.status > 0 ? line.status : line.state.startsWith('C') ? CLIENT_LEFT : 0,
    peer: line.peer,
    ...(line.queue > 0 ? { queuedMs: line.queue } : {}),
    tries: refusal === undefined ? triesOf(line, evidence, { startedAt, endedAt, loggedAt: at }, shortages) : [],
    ...(refusal === undefined ? {} : { refusal: { cause: refusal, evidence } }),
    evidence,
  };
}

/** A limit of this proxy's own rules that refused it. */
function refusalCause({ state, status, limit }: RequestLine): Cause | undefined {
  if (!state.startsWith('PR')) return undefined;
  if (limit === LIMITS.queue) return 'connection-limit';
  return limit === LIMITS.rate || status === 429 ? 'throttled' : undefined;
}

/** The last try as the line tells it, and before it those that it repeats; of these haproxy only logs a want of ports. */
function triesOf(
  line: RequestLine,
  evidence: string,
  times: { startedAt: number; endedAt: number; loggedAt: number },
  shortages: Shortage[],
): UpstreamTry[] {
  const result = tryResult(line);
  if (result === undefined) return [];
  const repeats = Number(line.retries.replace('+', ''));
  const to = line.to.startsWith('-') ? undefined : line.to;
  const last: UpstreamTry = {
    to,
    ...(line.from.startsWith('-') ? {} : { from: line.from }),
    result,
    endedAt: times.endedAt,
    ...(line.connect >= 0 && repeats === 0 ? { connectMs: line.connect } : {}),
    evidence,
  };
  const wanting = takeShortages(line, times, shortages, repeats + (result === 'no-local-port' ? 1 : 0));
  const earlier = Array.from({ length: repeats }, (_, index): UpstreamTry => {
    const shortage = wanting[index];
    const server = line.retries.startsWith('+') ? undefined : to;
    if (shortage === undefined) return { to: server, result: 'failed', endedAt: times.startedAt, evidence };
    return { to: server, result: 'no-local-port', endedAt: shortage.at, evidence: shortage.text };
  });
  return [...earlier, last];
}

/** The newest messages of that backend within the request's time that no earlier line has taken; a try leaves its message before its request's line. */
function takeShortages(
  line: RequestLine,
  { startedAt, loggedAt }: { startedAt: number; loggedAt: number },
  shortages: Shortage[],
  many: number,
): Shortage[] {
  const taken: Shortage[] = [];
  const [backend] = line.server.split('/');
  for (let index = lastUntil(shortages, loggedAt); index >= 0 && taken.length < many; index--) {
    const shortage = shortages[index];
    if (shortage.at < startedAt - 1) break;
    if (shortage.taken || shortage.backend !== backend) continue;
    shortage.taken = true;
    taken.unshift(shortage);
  }
  return taken;
}

/** Position of the last one at this time or before; they are in the order of their time. */
function lastUntil(shortages: Shortage[], at: number): number {
  let [low, high] = [0, shortages.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (shortages[middle].at <= at) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function incidentOf(host: string, at: number, { cause, words }: LimitReached): Incident {
  return { host, at, cause, evidence: words };
}
