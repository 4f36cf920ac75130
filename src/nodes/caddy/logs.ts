/** Caddy's log: what it saw of every request, of its backends' health, and of its own limits. */
import { CLIENT_LEFT, type Incident, type LogReading, type Sighting, type UpstreamTry } from '../kind.js';
import { type LogLine, readLines } from './log-line.js';
import { clientLeft, inMs, resultOf, tryOf } from './tries.js';
import { connectionsPerBackend, type Waiter, waitsFor } from './waiting.js';

/** What is known of a request before the line that ends it. */
interface Open {
  tries: LogLine[];
  error?: LogLine;
}

/** Reads the log of one host, written under that Caddyfile. */
export function readCaddyLog(host: string, log: string, config: string): LogReading {
  const full = busyNotDown(config);
  const holdsDown = /^[ \t]*fail_duration[ \t]/m.test(config);
  const sightings: Sighting[] = [];
  const incidents: Incident[] = [];
  const waiters: Waiter[] = [];
  const open = new Map<string, Open>();
  let cutOff: LogLine | undefined;
  let failedAt = Number.NEGATIVE_INFINITY;
  for (const { told, line } of readLines(log)) {
    if (told === 'listener') incidents.push({ host, at: line.ts * 1000, cause: 'file-limit', evidence: line.msg });
    if (told === 'check') sightings.push(failedCheck(host, line));
    if (told === 'cut-off') cutOff = line;
    if (told === 'check' || (told === 'try' && isFailure(line))) failedAt = line.ts;
    const id = line.request?.headers?.['X-Request-Id']?.[0];
    if (id === undefined) continue;
    const known = open.get(id) ?? { tries: [] };
    open.set(id, known);
    if (told === 'try') known.tries.push(line);
    if (told === 'error') known.error = line;
    if (told !== 'request') continue;
    open.delete(id);
    const tries = known.tries.map((one) => ({ ...tryOf(one), ...(holdsDown && isFailure(one) ? MARKED_DOWN : {}) }));
    const last = tries.at(-1);
    if (known.error?.msg === ALL_DOWN) tries.push(noneLeft(known.error, full(line.ts - failedAt)));
    if (cutOff !== undefined && last?.result === 'answered' && line.ts - cutOff.ts < CUT_OFF_S) {
      Object.assign(last, cutShort(cutOff));
      cutOff = undefined;
    }
    const left = clientLeft(known.tries.at(-1)?.error);
    for (const one of tries)
      if (one.to !== undefined)
        waiters.push({ one, freeAt: one === last ? line.ts * 1000 : one.endedAt, left: one === last && left });
    sightings.push(sightingOf(host, id, line, tries, left));
  }
  addWaits(sightings, waiters, connectionsPerBackend(config));
  return { sightings, incidents };
}

/** Caddy counts every error against a backend, but that its client has left. */
const isFailure = ({ error }: LogLine) => error !== undefined && !clientLeft(error);

/** It does not say which failure was one too many: while a backend is held down there are no further ones, so the last one was it. */
const MARKED_DOWN = { markedDown: true } as const;

/** Caddy's word for "every backend is held down", and for "every backend has as many requests as it may" (`errNoUpstream`). */
const ALL_DOWN = 'no upstreams available';

/** An answer that was cut off is told of right before its request ends, s. */
const CUT_OFF_S = 0.05;

function sightingOf(host: string, id: string, line: LogLine, tries: UpstreamTry[], left: boolean): Sighting {
  const { ts, duration = 0, status = 0, request } = line;
  const endedAt = ts * 1000;
  return {
    id,
    host,
    startedAt: endedAt - duration * 1000,
    endedAt,
    status: status === 0 && left ? CLIENT_LEFT : status,
    peer: `${request!.remote_ip}:${request!.remote_port}`,
    tries,
    evidence: `${line.msg}: ${request!.method} ${request!.uri}, status ${status} after ${inMs(duration)}`,
  };
}

function noneLeft({ ts, msg, status }: LogLine, full: boolean): UpstreamTry {
  const evidence = `${msg}, status ${status}`;
  return { to: undefined, result: full ? 'connection-limit' : 'no-live-backend', endedAt: ts * 1000, evidence };
}

/** What became of an answer that had begun; when its client left, nothing that the backend is to be asked about. */
function cutShort({ msg, error = '' }: LogLine): Partial<UpstreamTry> {
  return clientLeft(error) ? {} : { result: resultOf(error), evidence: `${msg}: ${error}` };
}

/** A check as a sighting of its own, by the name `health check of …`; after a single one that fails, the backend is down. */
function failedCheck(host: string, { ts, msg, host: to, error, status_code: status }: LogLine): Sighting {
  const at = ts * 1000;
  const words = error ?? `${msg}: ${status}`;
  const evidence = `health check of ${to}: ${words}`;
  const result = resultOf(words);
  return {
    id: `health check of ${to}`,
    host,
    startedAt: at,
    endedAt: at,
    status: 0,
    peer: '',
    tries: [{ to, result, endedAt: at, markedDown: true, evidence }],
    evidence,
  };
}

/**
 * Whether "no upstreams available" was the limit of requests per backend (`unhealthy_request_count`): where there is one, and nothing
 * has failed within the time that it would be held against a backend. A limit alone, without `max_fails` or `fail_duration`, has Caddy
 * 2.6 hold every backend down from the beginning.
 */
function busyNotDown(config: string): (sinceFailure: number) => boolean {
  const has = (option: string) => new RegExp(`^[ \\t]*(?:${option})[ \\t]`, 'm').test(config);
  if (!has('unhealthy_request_count') || !has('max_fails|fail_duration')) return () => false;
  const holds = [...config.matchAll(/^[ \t]*(?:fail_duration|health_interval)[ \t]+(\S+)/gm)].map(([, text]) =>
    seconds(text),
  );
  return (sinceFailure) => sinceFailure > Math.max(0, ...holds);
}

/** A time as Go writes it (`1m30s`, `500ms`) in s; of what is none, for ever. */
function seconds(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[hms])/g)];
  if (parts.length === 0) return Number.POSITIVE_INFINITY;
  const unit: Record<string, number> = { ms: 0.001, s: 1, m: 60, h: 3600 };
  return parts.reduce((sum, [, count, of]) => sum + Number(count) * unit[of], 0);
}

/** Says of each request how long its last try waited for a connection. */
function addWaits(sightings: Sighting[], waiters: Waiter[], limit: number | undefined): void {
  if (limit === undefined) return;
  const waits = waitsFor(limit, waiters);
  for (const sighting of sightings) {
    const last = sighting.tries.at(-1);
    const wait = last && waits.get(last);
    if (wait === undefined) continue;
    sighting.queuedAt = last!.startedAt;
    sighting.queuedMs = wait.ms;
    if (wait.inVain) last!.result = 'queue-timeout';
  }
}
