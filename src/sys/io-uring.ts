/**
 * io_uring (io_uring_setup(2), io_uring_enter(2), <linux/io_uring.h>): requests written into memory that is shared with the kernel, handed over many at
 * a time, their completions read from there. For one thread: it has to hand over, wait and close itself.
 */
import { testbedError } from '../errors.js';
import { registerBuffers } from './io-uring-buffers.js';
import {
  addressOf,
  C,
  close,
  errno,
  errnoName,
  ioUringEnter,
  ioUringSetup,
  isMapFailed,
  mmap,
  munmap,
  viewMemory,
} from './libc.js';

// IORING_*, IOSQE_* and the like, without their first part.
const OP_POLL_ADD = 6;
const OP_ASYNC_CANCEL = 14;
const OP_CONNECT = 16;
const OP_CLOSE = 19;
const OP_SEND = 26;
const OP_RECV = 27;
const BUFFER_SELECT = 1 << 5;
const CQE_SKIP_SUCCESS = 1 << 6;
/** Does not try before there is something to receive. */
const RECVSEND_POLL_FIRST = 1;
const F_BUFFER = 1;
const BUFFER_SHIFT = 16;
const SETUP_CQSIZE = 1 << 3;
const SETUP_SUBMIT_ALL = 1 << 7;
const SETUP_SINGLE_ISSUER = 1 << 12;
/** Linux 6.1: the kernel's part of a completion is done when this thread waits, not whenever it happens to be interrupted. */
const SETUP_DEFER_TASKRUN = 1 << 13;
const FEAT_SINGLE_MMAP = 1;
const FEAT_NODROP = 1 << 1;
const FEAT_EXT_ARG = 1 << 8;
const ENTER_GETEVENTS = 1;
const ENTER_EXT_ARG = 1 << 3;
const OFF_SQES = 0x10000000;
/** Errors of io_uring_enter(2) that pass: a signal, the time that is over, too little memory, completions to be read first. */
const FOR_A_MOMENT = new Set<number>([C.EINTR, C.ETIME, C.EAGAIN, C.EBUSY]);
/** Calls until what passes has lasted too long. */
const MOST_TRIES = 1000;
/** struct io_uring_getevents_arg. */
const ARGUMENT_BYTES = 24;

/** struct io_uring_params, bytes, and where its parts lie. */
const PARAMS_BYTES = 120;
const Params = { sqEntries: 0, cqEntries: 4, flags: 8, features: 20, sqOff: 40, cqOff: 80 } as const;
const SQE_BYTES = 64;
const CQE_BYTES = 16;
/** Words (32 bits) of a request and of a completion. */
const SQE_WORDS = SQE_BYTES / 4;
const CQE_WORDS = CQE_BYTES / 4;
const SQE_LONGS = SQE_BYTES / 8;
/** Both halves of what comes with the completion of a request that the ring itself has made; only failures have one. */
export const UNASKED = -1;

/**
 * A ring of one thread. A request stands behind the others until the next `submit` or `wait`, or until there is no room for another; `low` and `high`, 32 bits
 * each, come back with its completion.
 */
export interface IoUring {
  /** connect(2). `address` is that of a sockaddr of `length` bytes, which must stay where it is. */
  connect(fd: number, address: bigint, length: number, low: number, high: number): void;
  /** Waits once for one of the EPOLL* `events`; the result is those that are there. */
  poll(fd: number, events: number, low: number, high: number): void;
  /** Ends the request of that `low` and `high`, whose completion then says ECANCELED, and after it closes the descriptor that it was about. */
  cancelAndClose(fd: number, low: number, high: number): void;
  /** send(2) of bytes that stay where they are until they are handed over; it is tried once. There is a completion only where not all have been sent. */
  send(fd: number, address: bigint, length: number, low: number, high: number): void;
  /** recv(2) into one of the ring's buffers, once there is something; the result is ENOBUFS where all are in use. */
  receive(fd: number, low: number, high: number): void;
  /** Hands over all requests, and waits for nothing: completions that are there then are of requests that needed no wait. */
  submit(): void;
  /** Hands over all requests and lets the kernel finish what it can, such as those that have been cancelled. */
  flush(): void;
  /** Hands over all requests and waits up to `timeoutNs` for a completion, unless one is there unread. */
  wait(timeoutNs: number): void;
  /** Position of the first completion that has not been taken, and of the one to come: both only grow, modulo 2^32. */
  readonly head: number;
  readonly tail: number;
  /** The `low` of the request that the completion between `head` and `tail` is of. */
  low(position: number): number;
  /** Its `high`. */
  high(position: number): number;
  /** What the system call would have returned, or minus the errno. */
  result(position: number): number;
  /** Which buffer it has filled, -1 where none; it is in use until `giveBack`. */
  buffer(position: number): number;
  /** Where the bytes of all buffers lie, BUFFER_BYTES each. */
  readonly received: Buffer;
  /** Lets the kernel fill that buffer again. */
  giveBack(buffer: number): void;
  /** Completions before this position have been taken. */
  take(position: number): void;
  /** Hands over all requests, then ends those that wait. */
  dispose(): void;
}

/**
 * Opens a ring for `requests` at a time and `completions` unread, powers of two; undefined where the kernel has none as it is needed here (before Linux 6.1) or
 * does not let this process have one (a container's seccomp rules, kernel.io_uring_disabled).
 */
export function openIoUring(requests: number, completions: number): IoUring | undefined {
  const params = new DataView(new ArrayBuffer(PARAMS_BYTES));
  const flags = SETUP_CQSIZE | SETUP_SUBMIT_ALL | SETUP_SINGLE_ISSUER | SETUP_DEFER_TASKRUN;
  params.setUint32(Params.flags, flags, true);
  params.setUint32(Params.cqEntries, completions, true);
  const fd = ioUringSetup(C.SYS_io_uring_setup, requests, new Uint8Array(params.buffer));
  if (fd < 0) return undefined;
  const needed = FEAT_SINGLE_MMAP | FEAT_NODROP | FEAT_EXT_ARG;
  const ring = (params.getUint32(Params.features, true) & needed) === needed ? mapped(fd, params) : undefined;
  if (ring === undefined) close(fd);
  return ring;
}

/** The 32-bit words of struct io_sqring_offsets or struct io_cqring_offsets. */
const offsets = (params: DataView, from: number) =>
  Array.from({ length: 7 }, (_, index) => params.getUint32(from + index * 4, true));

function mapped(fd: number, params: DataView): IoUring | undefined {
  const field = (at: number) => params.getUint32(at, true);
  const sqEntries = field(Params.sqEntries);
  const cqEntries = field(Params.cqEntries);
  const [sqHead, sqTail, , , , , sqArray] = offsets(params, Params.sqOff);
  const [cqHead, cqTail, , , , cqes] = offsets(params, Params.cqOff);
  const ringBytes = Math.max(sqArray + sqEntries * 4, cqes + cqEntries * CQE_BYTES);
  const shared = C.PROT_READ | C.PROT_WRITE;
  const ringAt = mmap(null, ringBytes, shared, C.MAP_SHARED, fd, 0);
  const sqesAt = mmap(null, sqEntries * SQE_BYTES, shared, C.MAP_SHARED, fd, OFF_SQES);
  const buffers = registerBuffers(fd);
  const unmap = () => {
    if (!isMapFailed(ringAt)) munmap(ringAt, ringBytes);
    if (!isMapFailed(sqesAt)) munmap(sqesAt, sqEntries * SQE_BYTES);
    buffers?.dispose();
  };
  if (isMapFailed(ringAt) || isMapFailed(sqesAt) || buffers === undefined) {
    unmap();
    return undefined;
  }

  const ring = new Int32Array(viewMemory(ringAt, ringBytes & ~3));
  const sqeMemory = viewMemory(sqesAt, sqEntries * SQE_BYTES);
  const sqe = new Int32Array(sqeMemory);
  const sqeLongs = new BigUint64Array(sqeMemory);
  const sqMask = sqEntries - 1;
  const cqMask = cqEntries - 1;
  const [sqHeadAt, sqTailAt, cqHeadAt, cqTailAt, cqesAt] = [sqHead, sqTail, cqHead, cqTail, cqes].map((at) => at / 4);
  // Each slot of the array stands for the request of the same place.
  for (let index = 0; index < sqEntries; index++) ring[sqArray / 4 + index] = index;

  /** struct io_uring_getevents_arg and behind it the struct __kernel_timespec that it points to. */
  const argument = Buffer.allocUnsafeSlow(ARGUMENT_BYTES + 16).fill(0);
  argument.writeBigUInt64LE(addressOf(argument) + BigInt(ARGUMENT_BYTES), 16);
  const argumentWords = new Uint32Array(argument.buffer);

  const unsubmitted = () => (ring[sqTailAt] - ring[sqHeadAt]) >>> 0;
  const cqe = (position: number) => cqesAt + (position & cqMask) * CQE_WORDS;
  /** Hands over what there is and waits for `least` completions; what stands in the way for a moment is left to the next time. */
  function enter(least: number, flags: number): void {
    if (ioUringEnter(C.SYS_io_uring_enter, fd, unsubmitted(), least, flags, argument, ARGUMENT_BYTES) >= 0) return;
    const code = errno();
    if (!FOR_A_MOMENT.has(code)) throw testbedError(`io_uring_enter: ${errnoName(code)}`);
  }

  function submitAll(flags: number): void {
    for (let tried = 0; unsubmitted() > 0; tried++) {
      if (tried === MOST_TRIES) throw testbedError('io_uring_enter: the kernel takes no request');
      enter(0, flags);
    }
  }

  /** The place of the next request, with what all have in common. */
  function next(operation: number, flags: number, of: number, low: number, high: number): number {
    if (unsubmitted() === sqEntries) submitAll(0);
    const slot = ring[sqTailAt] & sqMask;
    const at = slot * SQE_WORDS;
    for (let word = at; word < at + SQE_WORDS; word++) sqe[word] = 0;
    sqe[at] = operation | (flags << 8);
    sqe[at + 1] = of;
    sqe[at + 8] = low;
    sqe[at + 9] = high;
    return slot;
  }

  function added(): void {
    ring[sqTailAt] = (ring[sqTailAt] + 1) | 0;
  }

  return {
    connect(fd, address, length, low, high) {
      const slot = next(OP_CONNECT, 0, fd, low, high);
      sqe[slot * SQE_WORDS + 2] = length;
      sqeLongs[slot * SQE_LONGS + 2] = address;
      added();
    },
    poll(fd, events, low, high) {
      const slot = next(OP_POLL_ADD, 0, fd, low, high);
      sqe[slot * SQE_WORDS + 7] = events;
      added();
    },
    cancelAndClose(fd, low, high) {
      const slot = next(OP_ASYNC_CANCEL, CQE_SKIP_SUCCESS, -1, UNASKED, UNASKED);
      sqe[slot * SQE_WORDS + 4] = low;
      sqe[slot * SQE_WORDS + 5] = high;
      added();
      next(OP_CLOSE, CQE_SKIP_SUCCESS, fd, UNASKED, UNASKED);
      added();
    },
    send(fd, address, length, low, high) {
      const slot = next(OP_SEND, CQE_SKIP_SUCCESS, fd, low, high);
      sqeLongs[slot * SQE_LONGS + 2] = address;
      sqe[slot * SQE_WORDS + 6] = length;
      sqe[slot * SQE_WORDS + 7] = C.MSG_NOSIGNAL | C.MSG_WAITALL | C.MSG_DONTWAIT;
      added();
    },
    receive(fd, low, high) {
      next(OP_RECV | (RECVSEND_POLL_FIRST << 16), BUFFER_SELECT, fd, low, high);
      added();
    },
    submit: () => submitAll(0),
    flush: () => submitAll(ENTER_GETEVENTS | ENTER_EXT_ARG),
    wait(timeoutNs) {
      const whole = Math.max(0, Math.floor(timeoutNs));
      argumentWords[6] = whole / 1e9;
      argumentWords[8] = whole % 1e9;
      const least = whole === 0 || ring[cqHeadAt] !== ring[cqTailAt] ? 0 : 1;
      enter(least, ENTER_GETEVENTS | ENTER_EXT_ARG);
    },
    get head() {
      return ring[cqHeadAt];
    },
    get tail() {
      return ring[cqTailAt];
    },
    low: (position) => ring[cqe(position)],
    high: (position) => ring[cqe(position) + 1],
    result: (position) => ring[cqe(position) + 2],
    buffer(position) {
      const flags = ring[cqe(position) + 3];
      return flags & F_BUFFER ? flags >>> BUFFER_SHIFT : -1;
    },
    received: buffers.memory,
    giveBack: buffers.give,
    take(position) {
      ring[cqHeadAt] = position | 0;
    },
    dispose() {
      // A few dozen cancelled requests each time (Linux 6.13), and each holds its socket.
      for (let seen = ring[cqTailAt] - 1; seen !== ring[cqTailAt]; ) {
        seen = ring[cqTailAt];
        ring[cqHeadAt] = seen;
        enter(0, ENTER_GETEVENTS | ENTER_EXT_ARG);
      }
      unmap();
      close(fd);
    },
  };
}
