/** Reads the request log of this package's own servers: what was lost, late or told of becomes a sighting, the rest is passed over. */
import type { LoggedEvent, LoggedRequest, LoggedTry } from '../servers/request-log.js';
import type { Host } from '../testbed/host.js';
import type { Incident, LogReading, Sighting, UpstreamTry } from './kind.js';
import { REQUEST_LOG } from './server-daemon.js';

/** A line, with its end, of a request that was answered, as `LoggedRequest` is written: no refusal, no store, no end of a session. */
const PLAIN =
  /\{"t":[\d.]+,"s":[\d.]+,"id":"[^"\\]+","peer":"[^"\\]*","status":(?!429)[1-4]\d\d,"method":"[^"\\]*","path":"[^"\\]*"\}\n/y;
const ID = '"id":"';

/**
 * A sighting for each request with an id, an incident for each shortage of descriptors. Requests that `wants` does not want are left
 * out where they were simply answered: they are nearly all of the log, and need not even be parsed.
 */
export async function readRequestLog(host: Host, wants: (id: string) => boolean = () => true): Promise<LogReading> {
  const reading: LogReading = { sightings: [], incidents: [] };
  let rest = '';
  for await (const piece of piecesOf(host)) {
    const text = rest + piece;
    let from = 0;
    for (;;) {
      PLAIN.lastIndex = from;
      const isPlain = PLAIN.test(text);
      const end = isPlain ? PLAIN.lastIndex - 1 : text.indexOf('\n', from);
      if (end < 0) break;
      if (!isPlain || wants(idOf(text, from))) readLine(host.name, text.slice(from, end), reading);
      from = end + 1;
    }
    rest = text.slice(from);
  }
  readLine(host.name, rest, reading);
  return reading;
}

/** The log in pieces, so that it is not in memory as a whole. */
async function* piecesOf(host: Host): AsyncGenerator<string> {
  if (host.readPieces === undefined) yield await host.readFile(REQUEST_LOG);
  else yield* host.readPieces(REQUEST_LOG);
}

/** The id in the line that begins there. */
function idOf(text: string, from: number): string {
  const at = text.indexOf(ID, from) + ID.length;
  return text.slice(at, text.indexOf('"', at));
}

function readLine(host: string, line: string, reading: LogReading): void {
  const entry = parseLine(line);
  if (entry === undefined) return;
  if (!('kind' in entry)) {
    // A part of a text keeps the whole text in memory; a copy does not.
    if (entry.id !== '') reading.sightings.push(sightingOf(host, entry, Buffer.from(line).toString()));
  } else if (entry.kind === 'file-limit') reading.incidents.push(incidentOf(host, entry));
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
