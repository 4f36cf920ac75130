/** Traffic Server's access.log and diags.log, joined into what it saw of every request. */
import { CLIENT_LEFT, type Incident, type LogReading, type Sighting, type UpstreamTry } from '../kind.js';
import { type AccessLine, readAccessLine } from './access-log.js';
import { type Diags, type MarkDown, readDiags } from './diags.js';
import { type Parents, parentsOf } from './parents.js';
import { clientLeft, queuedMsOf, triesOf } from './tries.js';

/** Texts of one host's logs and of its configuration. */
export interface LogTexts {
  access: string;
  diags: string;
  records: string;
  parents: string;
}

/** Reads the logs, and the configuration for what they do not tell of the tries. */
export function readTrafficServerLogs(host: string, texts: LogTexts): LogReading {
  const parents = parentsOf(texts.records, texts.parents);
  const lines = texts.access.split('\n').flatMap((line) => readAccessLine(line) ?? []);
  const year = new Date(lines[0]?.startedAt ?? Date.now()).getUTCFullYear();
  const { markDowns, shortages } = readDiags(texts.diags, year);
  const sightings = lines.flatMap((access) => sightingOf(host, access, parents) ?? []);
  const tries = sightings.flatMap((sighting) => sighting.tries);
  for (const markDown of markDowns) tellOf(markDown, tries);
  const lastAt = lines.reduce((last, { endedAt }) => Math.max(last, endedAt), 0);
  return { sightings, incidents: shortages.flatMap((shortage) => lasting(host, shortage, lastAt)) };
}

const SECOND_MS = 1_000;

/** It says so once in ten minutes and goes on refusing in silence: taken to hold until the log ends, told once a second. */
function lasting(host: string, { at, line }: Diags['shortages'][number], lastAt: number): Incident[] {
  const seconds = Math.max(0, Math.ceil((lastAt - at) / SECOND_MS));
  return Array.from({ length: seconds + 1 }, (_, second) => ({
    host,
    at: at + second * SECOND_MS,
    cause: 'file-limit',
    evidence: line,
  }));
}

function sightingOf(host: string, access: AccessLine, parents: Parents): Sighting | undefined {
  const { id, startedAt, endedAt, status, peer, firstConnectAt, line } = access;
  if (id === undefined) return undefined;
  const queuedMs = queuedMsOf(access);
  return {
    id,
    host,
    startedAt,
    endedAt,
    status: clientLeft(access) ? CLIENT_LEFT : status,
    peer,
    ...(queuedMs === undefined ? {} : { queuedMs, queuedAt: firstConnectAt }),
    tries: triesOf(access, parents),
    evidence: line,
  };
}

/** The failed try that a mark-down followed from: both are logged at the same time, by different clocks of the process. */
function tellOf({ at, to, line }: MarkDown, tries: UpstreamTry[]): void {
  let nearest: UpstreamTry | undefined;
  for (const one of tries) {
    if (one.to !== to || one.result === 'answered' || one.result === 'connection-limit') continue;
    if (nearest === undefined || Math.abs(one.endedAt - at) < Math.abs(nearest.endedAt - at)) nearest = one;
  }
  if (nearest === undefined) return;
  nearest.markedDown = true;
  nearest.evidence += `; ${line}`;
}
