/** A listening TCP socket: accepts what may be accepted, and leaves the rest in the kernel's own queue. */
import { performance } from 'node:perf_hooks';
import { testbedError } from '../errors.js';
import {
  accept4,
  bind,
  C,
  close,
  errno,
  errnoName,
  getsockname,
  listen,
  numberToIp,
  setsockopt,
  sockaddrIn,
  socket,
} from '../sys/libc.js';
import type { EventLoop } from './event-loop.js';
import type { LoggedEvent } from './request-log.js';

/** Connections accepted before other events get their turn. */
const ACCEPTS_AT_A_TIME = 64;
/** While accept4 fails for want of descriptors: between two tries without a descriptor of ours falling free. */
const RETRY_MS = 100;
/** While it lasts the log says so this often, so that each lost request has a line near it. */
const LOG_EVERY_MS = 250;

/** Where and how to listen. */
export interface ListenerOptions {
  address: string;
  /** 0 takes a free one. */
  port: number;
  /** Finished handshakes that wait for accept; the kernel holds one more than this, and at most `net.core.somaxconn`. */
  backlog: number;
  /** Several processes listen on the same port, each with a queue of its own. */
  reusePort: boolean;
}

/** A socket that listens; `port` is the one that it got. */
export interface Listener {
  readonly port: number;
  /** A descriptor has been closed: what failed for want of one may be tried again. */
  descriptorFreed(): void;
  /** Takes up accepting after `mayAccept` had said no. */
  resume(): void;
  /** Closes the socket; the kernel resets what its queue still holds. */
  close(): void;
}

/**
 * Listens, and calls `accepted` for each new non-blocking connection as long as `mayAccept` says so.
 * While it does not, the listener is not even watched, so that the kernel's accept queue fills and overflows as it does
 * in front of any busy server. Throws a testbedError where the address cannot be had.
 */
export function openListener(
  loop: EventLoop,
  options: ListenerOptions,
  mayAccept: () => boolean,
  accepted: (fd: number, peer: string) => void,
  log: (event: Omit<LoggedEvent, 't'>) => void,
): Listener {
  const where = `${options.address}:${options.port}`;
  const fail = (call: string): never => {
    throw testbedError(`${call}: ${errnoName(errno())}`, where);
  };
  const fd = socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC, 0);
  if (fd < 0) fail('socket');
  const yes = new Uint8Array(new Int32Array([1]).buffer);
  setsockopt(fd, C.SOL_SOCKET, C.SO_REUSEADDR, yes, 4);
  if (options.reusePort) setsockopt(fd, C.SOL_SOCKET, C.SO_REUSEPORT, yes, 4);
  const name = sockaddrIn(options.address, options.port);
  const nameView = new DataView(name.buffer);
  if (bind(fd, name, name.length) !== 0) fail('bind');
  if (listen(fd, options.backlog) !== 0) fail('listen');
  const nameLength = new Uint32Array([name.length]);
  getsockname(fd, name, nameLength);
  const port = nameView.getUint16(2, false);

  let watched = false;
  /** Since when nothing can be accepted for want of descriptors or memory; undefined while it can. */
  let blockedSinceMs: number | undefined;
  let failures = 0;
  let lastFailure = '';
  let kind: 'file-limit' | 'accept-error' = 'file-limit';
  let loggedMs = Number.NEGATIVE_INFINITY;

  function watch(wanted: boolean): void {
    if (watched === wanted) return;
    watched = wanted;
    // Level-triggered: what a round leaves in the queue is told again.
    if (wanted) loop.add(fd, C.EPOLLIN, acceptSome);
    else loop.remove(fd);
  }

  function acceptSome(): void {
    for (let taken = 0; taken < ACCEPTS_AT_A_TIME; taken++) {
      if (!mayAccept()) {
        watch(false);
        return;
      }
      nameLength[0] = name.length;
      const connection = accept4(fd, name, nameLength, C.SOCK_NONBLOCK | C.SOCK_CLOEXEC);
      if (connection >= 0) {
        accepted(connection, `${numberToIp(nameView.getUint32(4, false))}:${nameView.getUint16(2, false)}`);
        continue;
      }
      const code = errno();
      if (code === C.EAGAIN) return;
      // accept(2): a connection that has died in the queue passes its error on; the next one may be fine.
      if (code === C.ECONNABORTED || code === C.EINTR) continue;
      blocked(code);
      return;
    }
  }

  function blocked(code: number): void {
    watch(false);
    blockedSinceMs = performance.now();
    kind = code === C.EMFILE || code === C.ENFILE ? 'file-limit' : 'accept-error';
    lastFailure = `accept4: ${errnoName(code)}`;
    failures++;
    logFailures(blockedSinceMs);
  }

  function logFailures(nowMs: number): void {
    if (failures === 0 || nowMs < loggedMs + LOG_EVERY_MS) return;
    log({ kind, text: lastFailure, count: failures });
    failures = 0;
    loggedMs = nowMs;
  }

  function resume(): void {
    if (blockedSinceMs === undefined) watch(true);
  }

  loop.chore((nowMs) => {
    logFailures(nowMs);
    if (blockedSinceMs !== undefined && nowMs >= blockedSinceMs + RETRY_MS) {
      blockedSinceMs = undefined;
      if (mayAccept()) watch(true);
    }
    const nextLog = failures === 0 ? Number.POSITIVE_INFINITY : loggedMs + LOG_EVERY_MS;
    return Math.min(nextLog, blockedSinceMs === undefined ? Number.POSITIVE_INFINITY : blockedSinceMs + RETRY_MS);
  });

  watch(true);
  return {
    port,
    descriptorFreed() {
      if (blockedSinceMs === undefined) return;
      blockedSinceMs = undefined;
      if (mayAccept()) watch(true);
    },
    resume,
    close() {
      watch(false);
      logFailures(Number.POSITIVE_INFINITY);
      close(fd);
    },
  };
}
