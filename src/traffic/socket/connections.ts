/** Non-blocking TCP connections opened from other hosts' network namespaces, each tied to one epoll instance. */
import { closeSync, openSync } from 'node:fs';
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
  getsockname,
  getsockopt,
  setns,
  setsockopt,
  sockaddrIn,
  socket,
} from '../../sys/libc.js';
import type { TrafficClient } from '../engine.js';
import { type SourcePorts, sourcePorts } from './source-ports.js';

const STREAM = C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
/**
 * Sockets made with each change of the namespace, beside the one that is wanted. setns(2) costs a tenth of a whole connection's
 * calls; the socket belongs to the namespace where it was made, wherever connect(2) is called.
 */
const SPARE_SOCKETS = 7;
/** Events taken from the kernel at a time. */
const BATCH = 256;

/** The sockets of one sending thread. */
export interface Connections {
  /** Opens a socket on a client's host and starts its handshake. Returns the descriptor, or minus the errno. */
  open(client: number, target: number, generation: number): number;
  /** The local port of the socket that was opened last. */
  localPort(fd: number): number;
  /** SO_ERROR: the errno that ended it, or 0. */
  error(fd: number): number;
  /** Closes by FIN, or by RST when `abort`. */
  close(fd: number, abort: boolean): void;
  /** Waits for events up to `timeoutNs` and returns how many there are. */
  wait(timeoutNs: number): number;
  /** Descriptor of an event of the last `wait`, by its index from 0 on. */
  eventFd(index: number): number;
  /** The generation that was given to `open` for that descriptor; another one than now means that the event is of a closed connection. */
  eventGeneration(index: number): number;
  /** The EPOLL* bits of that event. */
  eventMask(index: number): number;
  /** How it waits. */
  readonly timer: 'epoll_pwait2' | 'epoll_wait';
  /** Returns to the own namespace and frees all. */
  dispose(): void;
}

/**
 * Opens the clients' namespaces and the epoll instance. Throws a testbedError where the kernel refuses one; run it on a thread of its own,
 * as `open` leaves the thread in the client's namespace until `dispose`.
 */
export function openConnections(clients: TrafficClient[]): Connections {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const namespaces = clients.map((client) => (client.netns === null ? home : openSync(client.netns, 'r')));
  const addresses = clients.map((client) => client.targets.map((target) => sockaddrIn(target.address, target.port)));
  /** Sockets not yet used, of each client. */
  const spare: number[][] = clients.map(() => []);
  let current = home;

  const epoll = epollCreate1(0);
  if (epoll < 0) throw testbedError(`epoll_create1: ${errnoName(errno())}`);
  const events = new Uint8Array(EPOLL_EVENT_BYTES * BATCH);
  const eventView = new DataView(events.buffer);
  const registration = new Uint8Array(EPOLL_EVENT_BYTES);
  const registrationView = new DataView(registration.buffer);
  registrationView.setUint32(0, (C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET) >>> 0, true);
  const timespec = new BigInt64Array(2);
  /** The same memory; both numbers fit into 32 bits, and no bigint is made. */
  const timespecWords = new Uint32Array(timespec.buffer);
  const name = new Uint8Array(16);
  const nameView = new DataView(name.buffer);
  const length = new Uint32Array(1);
  const word = new Uint8Array(4);
  const wordView = new DataView(word.buffer);
  const lingerZero = new Uint8Array(new Int32Array([1, 0]).buffer);

  function enter(namespace: number): void {
    if (namespace === current) return;
    if (setns(namespace, C.CLONE_NEWNET) !== 0) throw testbedError(`setns: ${errnoName(errno())}`);
    current = namespace;
  }

  /** A socket of the client's host, or minus the errno; where hosts take turns it makes several, for that of `open` to come. */
  function newSocket(client: number): number {
    const namespace = namespaces[client];
    const more = namespace === current ? 0 : SPARE_SOCKETS;
    enter(namespace);
    const fd = socket(C.AF_INET, STREAM, 0);
    if (fd < 0) return -errno();
    for (let made = 0; made < more; made++) {
      const another = socket(C.AF_INET, STREAM, 0);
      if (another >= 0) spare[client].push(another);
    }
    return fd;
  }

  const ports = clients.map((client, index) => {
    enter(namespaces[index]);
    return client.targets.map(() => sourcePorts());
  });
  enter(home);
  /** Those of the socket that was opened last. */
  let opened: SourcePorts | undefined;

  return {
    timer: epollPwait2 === undefined ? 'epoll_wait' : 'epoll_pwait2',

    open(client, target, generation) {
      const fd = spare[client].pop() ?? newSocket(client);
      if (fd < 0) return fd;
      opened = ports[client][target];
      const refused = opened.connect(fd, addresses[client][target]);
      if (refused !== 0) {
        close(fd);
        return -refused;
      }
      registrationView.setInt32(EPOLL_DATA_OFFSET, fd, true);
      registrationView.setInt32(EPOLL_DATA_OFFSET + 4, generation, true);
      if (epollCtl(epoll, C.EPOLL_CTL_ADD, fd, registration) !== 0) {
        const code = errno();
        close(fd);
        return -code;
      }
      return fd;
    },

    localPort(fd) {
      length[0] = 16;
      if (getsockname(fd, name, length) !== 0) return 0;
      const port = nameView.getUint16(2, false);
      opened?.chosen(port);
      return port;
    },

    error(fd) {
      length[0] = 4;
      return getsockopt(fd, C.SOL_SOCKET, C.SO_ERROR, word, length) === 0 ? wordView.getInt32(0, true) : errno();
    },

    close(fd, abort) {
      if (abort) setsockopt(fd, C.SOL_SOCKET, C.SO_LINGER, lingerZero, lingerZero.length);
      close(fd);
    },

    wait(timeoutNs) {
      const whole = Math.max(0, Math.floor(timeoutNs));
      if (epollPwait2 === undefined) return Math.max(0, epollWait(epoll, events, BATCH, Math.floor(whole / 1e6)));
      timespecWords[0] = whole / 1e9;
      timespecWords[2] = whole % 1e9;
      return Math.max(0, epollPwait2(epoll, events, BATCH, timespec, null));
    },

    eventFd: (index) => eventView.getInt32(index * EPOLL_EVENT_BYTES + EPOLL_DATA_OFFSET, true),
    eventGeneration: (index) => eventView.getInt32(index * EPOLL_EVENT_BYTES + EPOLL_DATA_OFFSET + 4, true),
    eventMask: (index) => eventView.getUint32(index * EPOLL_EVENT_BYTES, true),

    dispose() {
      enter(home);
      for (const fd of spare.flat()) close(fd);
      close(epoll);
      for (const namespace of namespaces) if (namespace !== home) closeSync(namespace);
      closeSync(home);
    },
  };
}
