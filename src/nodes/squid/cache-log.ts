/** What squid's cache.log tells of its peers: each failed connection with its request, and when a peer was held for DEAD. */
import { groupBy } from '../../collections.js';

/** A message; squid names the request in whose course it was written on the line below it. */
interface Message {
  /** Unix time, ms. */
  at: number;
  words: string;
  transaction: string | undefined;
  line: string;
}

export interface FailedConnection {
  /** `address:port`. */
  to: string;
  at: number;
  /** errno of socket() or bind(); 0 where the log has none: connect() itself failed. */
  errno: number;
  /** It made squid hold the peer for DEAD. */
  markedDown: boolean;
  line: string;
}

export interface CacheLog {
  /** Failed connections to peers by request number. */
  failures: Map<string, FailedConnection[]>;
  /** errno with which socket() or bind() failed last, by request number. */
  errnos: Map<string, number>;
  /** Whether a peer of that name was held for DEAD at a time, Unix ms. */
  dead(name: string, at: number): boolean;
  /** Lines that tell of descriptors running short and belong to no request. */
  shortages: { at: number; line: string }[];
}

const LINE = /^(\d{4})\/(\d\d)\/(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{3}))?(?: kid\d+)?\| (.*)$/;
const TRANSACTION = /^\s+current master transaction: master(\d+)/;
const FAILED = /^TCP connection to ([\d.]+)\/(\d+) failed$/;
const STATE = /^Detected (DEAD|REVIVED) \w+: (\S+)/;
const NO_SOCKET = /^(?:comm_openex socket failure|commBind Cannot bind socket.*): \((\d+)\) /;
const SHORTAGE = /running out of filedescriptors|Too many open files/;

/** Reads the log; it must be in UTC, with `debug_options 15,2` for milliseconds. */
export function readCacheLog(text: string): CacheLog {
  const failures: (FailedConnection & { transaction: string | undefined })[] = [];
  const errnos = new Map<string, number>();
  const states = new Map<string, { at: number; dead: boolean }[]>();
  const shortages: CacheLog['shortages'] = [];
  for (const { at, words, transaction, line } of messages(text)) {
    const failed = FAILED.exec(words);
    const state = STATE.exec(words);
    const errno = NO_SOCKET.exec(words)?.[1];
    if (failed !== null) {
      const to = `${failed[1]}:${failed[2]}`;
      failures.push({ transaction, to, at, errno: errnos.get(transaction ?? '') ?? 0, markedDown: false, line });
    } else if (state !== null) {
      const [, what, name] = state;
      states.set(name, [...(states.get(name) ?? []), { at, dead: what === 'DEAD' }]);
      const last = failures.at(-1);
      if (what === 'DEAD' && last !== undefined) last.markedDown = true;
    } else if (errno !== undefined && transaction !== undefined) errnos.set(transaction, Number(errno));
    else if (SHORTAGE.test(words)) shortages.push({ at, line });
  }
  return {
    failures: groupBy(failures, ({ transaction }) => transaction ?? ''),
    errnos,
    dead: (name, at) => states.get(name)?.findLast((state) => state.at <= at)?.dead ?? false,
    shortages,
  };
}

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
    const at = Date.UTC(year, month - 1, day, hour, minute, second, Number(match[7] ?? 0));
    found.push({ at, words: match[8], transaction: undefined, line });
  }
  return found;
}
