/** squid's access.log and cache.log, joined into what it saw of every request. */
import { CLIENT_LEFT, type LogReading, type Sighting } from '../kind.js';
import { type AccessLine, readAccessLine } from './access-log.js';
import { readCacheLog } from './cache-log.js';
import { leaders } from './leaders.js';
import { onlyLimited, peersIn } from './peers.js';
import { type Knowledge, triesOf } from './tries.js';

/** Reads both logs, and the configuration for what a refusal without any try may be due to. */
export function readSquidLogs(host: string, accessLog: string, cacheLog: string, config: string): LogReading {
  const peers = peersIn(config);
  const events = readCacheLog(cacheLog, peers);
  const lines = accessLog.split('\n').flatMap((line) => readAccessLine(line) ?? []);
  const known: Knowledge = { events, leaderOf: leaders(lines), onlyFull: onlyLimited(peers, events.states, lines) };
  return {
    sightings: lines.map((access) => sightingOf(host, access, known)),
    incidents: events.shortages.map(({ at, line }) => ({ host, at, cause: 'file-limit', evidence: line })),
  };
}

function sightingOf(host: string, access: AccessLine, known: Knowledge): Sighting {
  const left = access.tag.includes('ABORTED') && access.status === 0;
  return {
    id: access.id,
    host,
    startedAt: access.startedAt,
    endedAt: access.endedAt,
    status: left ? CLIENT_LEFT : access.status,
    peer: access.peer,
    tries: triesOf(access, known),
    evidence: access.line,
  };
}
