/** haproxy's log: what it saw of every request, of its backends' health, and of its own limits. */
import type { Cause } from '../../ledger/causes.js';
import { CLIENT_LEFT, type Incident, type LogReading, type Sighting, type UpstreamTry } from '../kind.js';
import { LIMITS } from './config.js';
import { failedChecks, serverAddresses } from './health.js';
import { limitsOf } from './limits.js';
import { stillQueued } from './queue.js';
import { type Claimant, shareShortages } from './shortages.js';
import { tryResult } from './tries.js';

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

/** A line of the log behind its syslog header. */
export interface LogLine {
  /** Unix time in ms, to the microsecond. */
  at: number;
  /** Id of the worker that wrote it, as haproxy sees it. */
  pid: number;
  text: string;
}

/** RFC 5424: priority, version, time, host, program, process id, message id, structured data. */
const LINE = /^<\d+>1 (\S+) \S+ \S+ (\d+) \S+ - (.*)$/;

/** Of the log's moments at a limit one per this time is kept: those around it tell nothing new, ms. */
const INCIDENT_EVERY_MS = 500;

/** What haproxy left behind. */
export interface HaproxyTexts {
  log: string;
  /** The configuration that it ran with. */
  config: string;
  /** What each worker said to `show info; show stat` when it began to serve. */
  state: string;
  /** What it said to `show sess all` at the end; '' where nothing can wait in a queue. */
  open: string;
}

/** Reads the log, and what haproxy said of itself beside it. */
export function readHaproxyLog(host: string, { log, config, state, open }: HaproxyTexts): LogReading {
  const lines = log.split('\n').flatMap((line): LogLine[] => {
    const [, time, pid, text] = LINE.exec(line) ?? [];
    return time === undefined ? [] : [{ at: unixMs(time), pid: Number(pid), text }];
  });
  // A worker that finishes its requests still writes while the next one serves.
  lines.sort((a, b) => a.at - b.at);
  const limits = limitsOf(state, config);
  const requests: Claimant[] = [];
  const incidents: Incident[] = [];
  for (const { at, pid, text } of lines) {
    const line = readRequestLine(text);
    if (line === undefined) continue;
    const reached = limits(line, pid);
    if (reached !== undefined && at >= (incidents.at(-1)?.at ?? 0) + INCIDENT_EVERY_MS)
      incidents.push({ host, at, cause: reached.cause, evidence: reached.words });
    if (line.id !== '') requests.push(claimantOf(line, { at, pid, text }));
  }
  const shares = shareShortages(lines, requests);
  const sightings = requests.map((request) => sightingOf(host, request, shares.get(request)!));
  return {
    sightings: [...sightings, ...failedChecks(host, lines, serverAddresses(config))],
    incidents: [...incidents, ...stillQueued(host, open)],
  };
}

function claimantOf(line: RequestLine, logged: LogLine): Claimant {
  const startedAt = Number(line.accept) * 1000 + line.handshake + Math.max(0, line.idle);
  const certain = tryResult(line) === 'no-local-port';
  return { ...logged, line, startedAt, tries: repeatsOf(line) + (certain ? 1 : 0), certain };
}

const repeatsOf = (line: RequestLine) => Number(line.retries.replace('+', ''));

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

function sightingOf(host: string, request: Claimant, shortages: LogLine[]): Sighting {
  const { line, text, startedAt } = request;
  const refusal = refusalCause(line);
  return {
    id: line.id,
    host,
    startedAt,
    endedAt: endOf(request),
    status: line.status > 0 ? line.status : line.state.startsWith('C') ? CLIENT_LEFT : 0,
    peer: line.peer,
    ...(line.queue > 0 ? { queuedMs: line.queue } : {}),
    tries: refusal === undefined ? triesOf(request, shortages) : [],
    ...(refusal === undefined ? {} : { refusal: { cause: refusal, evidence: text } }),
    evidence: text,
  };
}

const endOf = ({ line, startedAt }: Claimant) => startedAt + Math.max(0, line.active);

/** A limit of this proxy's own rules that refused it. */
function refusalCause({ state, status, limit }: RequestLine): Cause | undefined {
  if (!state.startsWith('PR')) return undefined;
  if (limit === LIMITS.queue) return 'connection-limit';
  return limit === LIMITS.rate || status === 429 ? 'throttled' : undefined;
}

/** The last try as the line tells it, and before it those that it repeats; of these haproxy only logs a want of ports. */
function triesOf(request: Claimant, shortages: LogLine[]): UpstreamTry[] {
  const { line, text, startedAt } = request;
  const result = tryResult(line);
  if (result === undefined) return [];
  const repeats = repeatsOf(line);
  const to = line.to.startsWith('-') ? undefined : line.to;
  const last: UpstreamTry = {
    to,
    ...(line.from.startsWith('-') ? {} : { from: line.from }),
    result,
    endedAt: endOf(request),
    ...(line.connect >= 0 && repeats === 0 ? { connectMs: line.connect } : {}),
    evidence: text,
  };
  const earlier = Array.from({ length: repeats }, (_, index): UpstreamTry => {
    const shortage = shortages[index];
    const server = line.retries.startsWith('+') ? undefined : to;
    if (shortage === undefined) return { to: server, result: 'failed', endedAt: startedAt, evidence: text };
    return { to: server, result: 'no-local-port', endedAt: shortage.at, evidence: shortage.text };
  });
  return [...earlier, last];
}
