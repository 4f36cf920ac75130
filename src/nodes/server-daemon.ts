/** How this package's own server programs are started on a host, known ready, ended, and how their request log is read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { testbedError } from '../errors.js';
import type { LoggedEvent, LoggedRequest, LoggedTry } from '../servers/request-log.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import type { Incident, LogReading, RunningNode, Sighting, UpstreamTry } from './kind.js';

/** The servers' request log in the host's log folder. */
export const REQUEST_LOG = 'requests.log';
/** Backlog where the scenario names none: what today's kernels allow at most by default (`net.core.somaxconn`). */
export const DEFAULT_BACKLOG = 4096;

const POLL_MS = 5;
const READY_WITHIN_MS = 10_000;
const END_WITHIN_MS = 5_000;
const TAIL_LINES = 5;

/** Starts `dist/servers/<program>.js` with its options as JSON. */
export function spawnServer(
  host: Host,
  program: string,
  options: object,
  { label, openFiles }: { label: string; openFiles: number | undefined },
): Promise<HostProcess> {
  const argv = [host.nodeBinary, `${host.distDir}/servers/${program}.js`, JSON.stringify(options)];
  return host.spawn(argv, openFiles === undefined ? { label } : { label, openFiles });
}

/** Waits until the program has logged that it listens. Throws a testbedError with the end of its log when it ends first or takes too long. */
export async function awaitListening(host: Host, process: HostProcess, label: string): Promise<void> {
  const giveUpAt = Date.now() + READY_WITHIN_MS;
  for (;;) {
    // Asked before the log is read: what an ended process has logged is complete then.
    const { running } = process;
    const text = await host.readFile(`${label}.log`);
    if (running && /^listening /m.test(text)) return;
    const tail = text.trim().split('\n').slice(-TAIL_LINES).join('\n') || 'its log is empty';
    if (!running) throw testbedError(`${label} ended at its start: ${tail}`, host.name, `see ${label}.log`);
    if (Date.now() >= giveUpAt) {
      throw testbedError(`${label} is not ready after ${READY_WITHIN_MS / 1000} s: ${tail}`, host.name);
    }
    await sleep(POLL_MS);
  }
}

/** The endpoint that a server node must have by its plan. */
export function listenOf(host: Host, listen: Endpoint | undefined): Endpoint {
  if (listen === undefined) throw testbedError('the plan gives this server no address to listen on', host.name);
  return listen;
}

/** A node whose programs end, with all logged, by SIGTERM; one after the other in the order given. */
export function runningServers(processes: HostProcess[]): RunningNode {
  let stopping: Promise<void> | undefined;
  async function stopAll(): Promise<void> {
    for (const process of processes) await endProcess(process);
  }
  return {
    processes,
    stop() {
      stopping ??= stopAll();
      return stopping;
    },
  };
}

async function endProcess(process: HostProcess): Promise<void> {
  if (!process.running) return;
  await process.signal('SIGTERM');
  const timer = new AbortController();
  const ended = await Promise.race([
    process.exited.then(() => true),
    sleep(END_WITHIN_MS, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  if (!ended) await process.signal('SIGKILL');
}

/** Reads a host's request log: a sighting for each request with an id, an incident for each shortage of descriptors. */
export async function readRequestLog(host: Host): Promise<LogReading> {
  const reading: LogReading = { sightings: [], incidents: [] };
  for (const line of (await host.readFile(REQUEST_LOG)).split('\n')) {
    const entry = parseLine(line);
    if (entry === undefined) continue;
    if (!('kind' in entry)) {
      if (entry.id !== '') reading.sightings.push(sightingOf(host.name, entry, line));
    } else if (entry.kind === 'file-limit') reading.incidents.push(incidentOf(host.name, entry));
  }
  return reading;
}

/** A line of the log; undefined for the half line that a killed server may leave. */
function parseLine(line: string): LoggedRequest | LoggedEvent | undefined {
  if (!line.endsWith('}')) return undefined;
  try {
    return JSON.parse(line) as LoggedRequest | LoggedEvent;
  } catch {
    return undefined;
  }
}

function sightingOf(host: string, entry: LoggedRequest, line: string): Sighting {
  const { id, s, t, status, peer } = entry;
  const tries = (entry.store?.tries ?? []).map(tryOf);
  const sighting: Sighting = { id, host, startedAt: s, endedAt: t, status, peer, tries, evidence: line };
  const queued = entry.store?.queued;
  if (queued !== undefined) Object.assign(sighting, { queuedAt: queued.s, queuedMs: queued.ms });
  // The store behind this server is the one to ask why, unless it has answered.
  if (status >= 500 && !entry.lost && tries.length > 0) return sighting;
  const cause = status === 429 ? 'throttled' : status < 500 ? undefined : entry.lost ? 'session-lost' : 'http-error';
  if (cause !== undefined) sighting.refusal = { cause, evidence: line };
  return sighting;
}

function tryOf({ to, from, result, s, t, c, text }: LoggedTry): UpstreamTry {
  const words = [from, '->', to ?? 'no connection', text ?? result].filter((word) => word !== undefined).join(' ');
  return {
    to,
    ...(from !== undefined && { from }),
    result,
    startedAt: s,
    endedAt: t,
    ...(c !== undefined && { connectMs: c }),
    evidence: `store ${words}`,
  };
}

function incidentOf(host: string, { t, text, count }: LoggedEvent): Incident {
  return { host, at: t, cause: 'file-limit', evidence: `${host}: ${text} (${count} times)` };
}
