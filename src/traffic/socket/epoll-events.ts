/** epoll(7): every connection tied to one epoll instance once, edge-triggered, and a system call for each step. */
import { testbedError } from '../../errors.js';
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
  send,
} from '../../sys/libc.js';
import {
  type ConnectionEvents,
  type Destination,
  EVENTS_AT_A_TIME,
  eventBatch,
  NOT_READ,
} from './connection-events.js';
import { resetOnClose, socketError } from './socket-end.js';

/** Throws a testbedError where the kernel has no epoll instance for it. */
export function epollEvents(): ConnectionEvents {
  const epoll = epollCreate1(0);
  if (epoll < 0) throw testbedError(`epoll_create1: ${errnoName(errno())}`);
  const told = new DataView(new ArrayBuffer(EPOLL_EVENT_BYTES * EVENTS_AT_A_TIME));
  const toldBytes = new Uint8Array(told.buffer);
  const events = eventBatch();
  events.result.fill(NOT_READ);
  const registration = new DataView(new ArrayBuffer(EPOLL_EVENT_BYTES));
  const registrationBytes = new Uint8Array(registration.buffer);
  registration.setUint32(0, (C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET) >>> 0, true);
  const timespec = new BigInt64Array(2);
  /** The same memory; both numbers fit into 32 bits, and no bigint is made. */
  const timespecWords = new Uint32Array(timespec.buffer);
  const room = Buffer.allocUnsafeSlow(16_384);
  let towards: Destination | undefined;
  let refused = 0;

  function start({ ports, address }: Destination): number {
    const fd = registration.getInt32(EPOLL_DATA_OFFSET, true);
    const code = ports.connect(fd, address);
    if (code !== 0) return code;
    return epollCtl(epoll, C.EPOLL_CTL_ADD, fd, registrationBytes) === 0 ? 0 : errno();
  }

  function waitInKernel(timeoutNs: number): number {
    const whole = Math.max(0, Math.floor(timeoutNs));
    if (epollPwait2 === undefined) return epollWait(epoll, toldBytes, EVENTS_AT_A_TIME, Math.floor(whole / 1e6));
    timespecWords[0] = whole / 1e9;
    timespecWords[2] = whole % 1e9;
    return epollPwait2(epoll, toldBytes, EVENTS_AT_A_TIME, timespec, null);
  }

  return {
    timer: epollPwait2 === undefined ? 'epoll_wait' : 'epoll_pwait2',
    // Nothing is gained by waiting for others, and so the moment of each is known exactly.
    atATime: 1,
    flush() {},
    connect(fd, generation, destination) {
      registration.setInt32(EPOLL_DATA_OFFSET, fd, true);
      registration.setInt32(EPOLL_DATA_OFFSET + 4, generation, true);
      towards = destination;
    },
    handOver() {
      if (towards !== undefined) refused = start(towards);
    },
    refusal: () => refused,
    handshakeError: (index) => socketError(events.fd[index]),
    room: () => room,
    send: (fd, bytes, length) => (send(fd, bytes, length, C.MSG_NOSIGNAL) === length ? 0 : errno()),
    // Its one registration lasts until it is closed.
    watch() {},
    close(fd, abort) {
      if (abort) resetOnClose(fd);
      close(fd);
    },
    wait(timeoutNs) {
      const count = Math.max(0, waitInKernel(timeoutNs));
      for (let index = 0, at = 0; index < count; index++, at += EPOLL_EVENT_BYTES) {
        events.mask[index] = told.getInt32(at, true);
        events.fd[index] = told.getInt32(at + EPOLL_DATA_OFFSET, true);
        events.generation[index] = told.getInt32(at + EPOLL_DATA_OFFSET + 4, true);
      }
      return count;
    },
    events,
    received: Buffer.alloc(0),
    mostBytes: 0,
    dispose: () => void close(epoll),
  };
}
