/**
 * One thread, one epoll instance, no object per event: waits for descriptors and for the next deadline.
 *
 *     chores (deadlines, flushes) -> epoll_pwait2 until the next of them -> handlers -> chores -> ...
 *
 * It blocks in the kernel, so it returns to Node's own event loop every few milliseconds: signals arrive there.
 */

import { performance } from 'node:perf_hooks';
import { testbedError } from '../errors.js';
import { reserveDescriptors } from '../sys/descriptors.js';
import {
  C,
  close,
  EPOLL_DATA_OFFSET,
  EPOLL_EVENT_BYTES,
  epollCreate1,
  epollCtl,
  epollPwait2,
  epollWait,
  errno,
  errnoName,
} from '../sys/libc.js';

/** Events taken from the kernel at a time. */
const BATCH = 256;
/** Longest sleep: a signal that another thread took is noticed after it. */
const LONGEST_SLEEP_MS = 50;
/** Longest time away from Node's event loop while there is always work. */
const LONGEST_STRETCH_MS = 20;

/** Called with a descriptor and its EPOLL* mask. */
export type EventHandler = (fd: number, mask: number) => void;

/** Work that is due at a moment rather than at an event; called before each wait. Returns when it wants to be called at the latest, ms of `performance.now()`. */
export type Chore = (nowMs: number) => number;

/** The loop of one server process. */
export interface EventLoop {
  /** Watches a descriptor. Returns 0 or the errno. */
  add(fd: number, mask: number, handler: EventHandler): number;
  /** Changes what is watched for. */
  change(fd: number, mask: number): void;
  /** Ends watching a descriptor that stays open. */
  remove(fd: number): void;
  /** Closes a descriptor that is watched; its pending events are void. */
  close(fd: number): void;
  /** Adds a chore; chores run in the order of their adding. */
  chore(chore: Chore): void;
  /** Runs until `stop`, then frees the epoll instance. */
  run(): Promise<void>;
  /** Ends `run` after the present round; idempotent. */
  stop(): void;
}

/** Room for descriptors made beforehand; more connections than this still work, with a pause as the table grows. */
const MOST_CONNECTIONS = 65_536;

/** Makes the epoll instance, and room for 65,536 descriptors. Throws a testbedError where the kernel has none to give. */
export function eventLoop(): EventLoop {
  reserveDescriptors(MOST_CONNECTIONS);
  const epoll = epollCreate1(C.SOCK_CLOEXEC);
  if (epoll < 0) throw testbedError(`epoll_create1: ${errnoName(errno())}`);
  const events = new Uint8Array(EPOLL_EVENT_BYTES * BATCH);
  const eventView = new DataView(events.buffer);
  const registration = new Uint8Array(EPOLL_EVENT_BYTES);
  const registrationView = new DataView(registration.buffer);
  const timespec = new BigInt64Array(2);
  const handlers: (EventHandler | undefined)[] = [];
  /** Tells events of a closed descriptor from those of the next one with the same number, within one batch. */
  const generations: number[] = [];
  const chores: Chore[] = [];
  let stopped = false;

  function control(operation: number, fd: number, mask: number): number {
    registrationView.setUint32(0, mask >>> 0, true);
    registrationView.setInt32(EPOLL_DATA_OFFSET, fd, true);
    registrationView.setInt32(EPOLL_DATA_OFFSET + 4, generations[fd], true);
    return epollCtl(epoll, operation, fd, registration) === 0 ? 0 : errno();
  }

  function wait(timeoutMs: number): number {
    if (epollPwait2 === undefined) return epollWait(epoll, events, BATCH, Math.ceil(timeoutMs));
    timespec[1] = BigInt(Math.max(0, Math.floor(timeoutMs * 1e6)));
    return epollPwait2(epoll, events, BATCH, timespec, null);
  }

  function forget(fd: number): void {
    handlers[fd] = undefined;
    generations[fd] = ((generations[fd] ?? 0) + 1) | 0;
  }

  /** One round; false when a signal has interrupted it. */
  function turn(nowMs: number): boolean {
    let until = nowMs + LONGEST_SLEEP_MS;
    for (const chore of chores) until = Math.min(until, chore(nowMs));
    const count = wait(Math.max(0, until - performance.now()));
    for (let index = 0; index < count; index++) {
      const at = index * EPOLL_EVENT_BYTES;
      const fd = eventView.getInt32(at + EPOLL_DATA_OFFSET, true);
      if (eventView.getInt32(at + EPOLL_DATA_OFFSET + 4, true) !== generations[fd]) continue;
      handlers[fd]?.(fd, eventView.getUint32(at, true));
    }
    return count >= 0;
  }

  return {
    add(fd, mask, handler) {
      generations[fd] = ((generations[fd] ?? 0) + 1) | 0;
      const code = control(C.EPOLL_CTL_ADD, fd, mask);
      if (code === 0) handlers[fd] = handler;
      return code;
    },
    change: (fd, mask) => void control(C.EPOLL_CTL_MOD, fd, mask),
    remove(fd) {
      control(C.EPOLL_CTL_DEL, fd, 0);
      forget(fd);
    },
    close(fd) {
      forget(fd);
      close(fd);
    },
    chore: (chore) => void chores.push(chore),
    stop() {
      stopped = true;
    },
    run() {
      return new Promise((resolve, reject) => {
        function stretch(): void {
          try {
            const end = performance.now() + LONGEST_STRETCH_MS;
            for (let now = performance.now(); !stopped && now < end; now = performance.now()) if (!turn(now)) break;
          } catch (error) {
            stopped = true;
            reject(error);
          }
          if (!stopped) setImmediate(stretch);
          else {
            close(epoll);
            resolve();
          }
        }
        stretch();
      });
    },
  };
}
