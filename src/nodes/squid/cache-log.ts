/** What squid's cache.log tells of its peers: each failed connection with its request, and when a peer was held for DEAD. */
import { groupBy } from '../../collections.js';
import type { Peer } from './peers.js';

/** A message; squid names the request in whose course it was written on the line below it. */
interface Message {
  /** Unix time in ms, cut off to the second: squid prints the milliseconds of an earlier message (debugLogTime in src/debug.cc). */
  second: number;
  words: string;
  transaction: string | undefined;
  line: string;
}

/** A connection to a peer that did not come about. `second` is Unix time in ms, cut off to the second. */
export interface FailedConnection {
  /** `address:port`. */
  to: string;
  second: number;
  /** errno of socket() or bind(); 0 where the log has none: connect() itself failed. */
  errno: number;
  /** It made squid hold the peer for DEAD. */
  markedDown: boolean;
  line: string;
}

/** A peer was held for DEAD from then on, or no longer. */
export interface PeerState {
  second: number;
  dead: boolean;
  /** The request in whose course it came to that. */
  transaction: string | undefined;
}

/** The time of a request, Unix ms: its number alone is not enough, as a restarted squid counts anew. */
export interface When {
  transaction: string;
  startedAt: number;
  endedAt: number;
}

/** The log, indexed by request. */
export interface CacheLog {
  /** Failed connections to peers in the course of that request. */
  failures(request: When): FailedConnection[];
  /** errno with which socket() or bind() failed last in the course of that request; 0 where neither did. */
  errnoOf(request: When): number;
  /** What became of each peer, by its name. */
  states: Map<string, PeerState[]>;
  /** Lines that tell of descriptors running short and belong to no request. */
  shortages: { at: number; line: string }[];
}

const LINE = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d{3})?(?: kid\d+)?\| (.*)$/;
const TRANSACTION = /^\s+current master transaction: master(\d+)/;
/** Squid 5 names a peer by `address/port`, Squid 6 by its name (src/neighbors.cc, src/CachePeer.cc). */
const FAILED = /(?:^|\s)(?:TCP )?[Cc]onnection to (\S+) failed$/;
const STATE = /^Detected (DEAD|REVIVED) \w+: (\S+)/;
const NO_SOCKET = /^(?:comm_openex socket failure|commBind Cannot bind socket.*): \((\d+)\) /;
const SHORTAGE = /running out of filedescriptors|Too many open files/;

/** Reads the log; it must be in UTC. */
export function readCacheLog(text: string, peers: Peer[]): CacheLog {
  const failures: (FailedConnection & { transaction: string })[] = [];
  const errnos: { transaction: string; second: number; errno: number }[] = [];
  const states = new Map<string, PeerState[]>();
  const shortages: CacheLog['shortages'] = [];
  let unclaimed = new Map<string, number>();
  for (const { second, words, transaction = '', line } of messages(text)) {
    const failed = FAILED.exec(words);
    const state = STATE.exec(words);
    const errno = Number(NO_SOCKET.exec(words)?.[1] ?? 0);
    if (failed !== null) {
      const named = peers.find(({ name }) => name === failed[1]);
      const to = named === undefined ? failed[1].replace('/', ':') : `${named.address}:${named.port}`;
      const own = unclaimed.get(transaction) ?? 0;
      unclaimed.delete(transaction);
      failures.push({ transaction, to, second, errno: own, markedDown: false, line });
    } else if (state !== null) {
      const [, what, name] = state;
      const before = states.get(name) ?? [];
      states.set(name, [...before, { second, dead: what === 'DEAD', transaction: transaction || undefined }]);
      const last = failures.at(-1);
      if (what === 'DEAD' && last !== undefined) last.markedDown = true;
    } else if (errno !== 0 && transaction !== '') {
      errnos.push({ transaction, second, errno });
      unclaimed.set(transaction, errno);
    } else if (SHORTAGE.test(words)) shortages.push({ at: second, line });
    else if (/^(?:Starting|Reconfiguring) Squid/.test(words)) {
      unclaimed = new Map();
      for (const seen of states.values()) seen.push({ second, dead: false, transaction: undefined });
    }
  }
  const failuresOf = groupBy(failures, (one) => one.transaction);
  const errnosOf = groupBy(errnos, (one) => one.transaction);
  return {
    failures: (request) => (failuresOf.get(request.transaction) ?? []).filter((one) => isWithin(one, request)),
    errnoOf: (request) => errnosOf.get(request.transaction)?.findLast((one) => isWithin(one, request))?.errno ?? 0,
    states,
    shortages,
  };
}

const SECOND_MS = 1000;

const isWithin = ({ second }: { second: number }, { startedAt, endedAt }: When) =>
  second + SECOND_MS > startedAt && second <= endedAt;

function messages(text: string): Message[] {
  const found: Message[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    const last = found.at(-1);
    if (match === null) {
      if (last !== undefined) last.transaction ??= TRANSACTION.exec(line)?.[1];
      continue;
    }
    const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number);
    const at = Date.UTC(year, month - 1, day, hour, minute, second);
    found.push({ second: at, words: match[7], transaction: undefined, line });
  }
  return found;
}
