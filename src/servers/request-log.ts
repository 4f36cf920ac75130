/** The servers' log: one JSON object per line, gathered in memory and appended in whole lines (docs/server-logs.md). */
import { closeSync, openSync, writeSync } from 'node:fs';
import type { UpstreamResult } from '../nodes/kind.js';
import { cheapClock } from '../sys/cheap-clock.js';
import { C } from '../sys/libc.js';
import type { Chore } from './event-loop.js';

const FLUSH_BYTES = 65_536;

/** One try to reach the store behind the shop. Times are Unix ms. */
export interface LoggedTry {
  /** `address:port` of the store; absent where no connection was had to try with. */
  to?: string;
  /** This side's `address:port`; absent where none was had. */
  from?: string;
  result: UpstreamResult;
  /** Its begin and its end. */
  s: number;
  t: number;
  /** How long the handshake took, ms: 0 on a connection that stood already, absent where it did not finish. */
  c?: number;
  /** What the kernel or the store said of a failure. */
  text?: string;
}

/** A request's way to the store behind the shop. */
export interface StoreVisit {
  tries: LoggedTry[];
  /** Since when (Unix ms) and for how long (ms) it waited for a free connection. */
  queued?: { s: number; ms: number };
}

/** One answered, or unanswered, request. */
export interface LoggedRequest {
  /** Unix ms, with a fraction, of the answer. */
  t: number;
  /** Unix ms of the request's first byte. */
  s: number;
  id: string;
  /** `address:port` of the client. */
  peer: string;
  /** HTTP status; 499 when the client left first, 0 when the server ended first. */
  status: number;
  method: string;
  path: string;
  /** 1 when the answer was that the session is not known. */
  lost?: 1;
  /** Of a request that asked a store over the network. */
  store?: StoreVisit;
}

/** A line that is not about one request. */
export interface LoggedEvent {
  /** Unix ms. */
  t: number;
  kind: 'file-limit' | 'accept-error' | 'inventory' | 'summary';
  text?: string;
  /** How often it happened since the last such line. */
  count?: number;
  accepted?: number;
  requests?: number;
}

/** An open log. Lines are gathered until `chore`, `close`, or 64 KiB of them. */
export interface RequestLog {
  /** Adds the line of one request. */
  request(line: LoggedRequest): void;
  /** Adds a line that is not about one request. */
  event(line: LoggedEvent): void;
  /** Appends what one round of the event loop has gathered: whoever is killed leaves the log of all that it answered. */
  chore: Chore;
  /** Appends all and closes the file. */
  close(): void;
}

/** Opens the log for appending; several processes may share one file, as each appends whole lines in one write(2). */
export function requestLog(path: string): RequestLog {
  const fd = openSync(path, 'a');
  let gathered = '';

  function flush(): void {
    if (gathered !== '') writeSync(fd, gathered);
    gathered = '';
  }

  function add(line: LoggedRequest | LoggedEvent): void {
    gathered += `${JSON.stringify(line)}\n`;
    if (gathered.length >= FLUSH_BYTES) flush();
  }

  return {
    request: add,
    event: add,
    chore() {
      flush();
      return Number.POSITIVE_INFINITY;
    },
    close() {
      flush();
      closeSync(fd);
    },
  };
}

/** Unix time in ms with its fraction. */
export function unixClock(): () => number {
  return cheapClock(C.CLOCK_REALTIME);
}
