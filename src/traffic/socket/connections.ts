/** Non-blocking TCP connections opened from other hosts' network namespaces. */
import { closeSync, openSync } from 'node:fs';
import { testbedError } from '../../errors.js';
import { addressOf, C, close, errno, errnoName, getsockname, setns, sockaddrIn, socket } from '../../sys/libc.js';
import type { TrafficClient } from '../engine.js';
import type { ConnectionEvents, Destination } from './connection-events.js';
import { sourcePorts } from './source-ports.js';

const STREAM = C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC;
/**
 * Sockets made with each change of the namespace, beside the one that is wanted. setns(2) costs a tenth of a whole connection's
 * calls; the socket belongs to the namespace where it was made, wherever connect(2) is called.
 */
const SPARE_SOCKETS = 7;
const SOCKADDR_BYTES = 16;

/** The sockets of one sending thread. */
export interface Connections extends Omit<ConnectionEvents, 'connect'> {
  /** Opens a socket on a client's host, whose handshake begins with the next `handOver`. Returns the descriptor, or minus the errno. */
  open(client: number, target: number, generation: number): number;
  /** The local port of a socket towards that target, once its handshake has begun. */
  localPort(fd: number, client: number, target: number): number;
  /** Returns to the own namespace and frees what is its own; `events` stay. */
  dispose(): void;
}

/**
 * Opens the clients' namespaces. Throws a testbedError where the kernel refuses one; run it on a thread of its own,
 * as `open` leaves the thread in the client's namespace until `dispose`.
 */
export function openConnections(clients: TrafficClient[], events: ConnectionEvents): Connections {
  const home = openSync('/proc/thread-self/ns/net', 'r');
  const namespaces = clients.map((client) => (client.netns === null ? home : openSync(client.netns, 'r')));
  /** Sockets not yet used, of each client. */
  const spare: number[][] = clients.map(() => []);
  let current = home;

  const name = new Uint8Array(SOCKADDR_BYTES);
  const nameView = new DataView(name.buffer);
  const length = new Uint32Array(1);

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

  const destinations = clients.map((client, index) => {
    enter(namespaces[index]);
    return client.targets.map((target): Destination => {
      const address = sockaddrIn(target.address, target.port);
      return { address, pointer: addressOf(address), ports: sourcePorts() };
    });
  });
  enter(home);

  return {
    ...events,

    open(client, target, generation) {
      const fd = spare[client].pop() ?? newSocket(client);
      if (fd >= 0) events.connect(fd, generation, destinations[client][target]);
      return fd;
    },

    localPort(fd, client, target) {
      length[0] = SOCKADDR_BYTES;
      if (getsockname(fd, name, length) !== 0) return 0;
      const port = nameView.getUint16(2, false);
      destinations[client][target].ports.chosen(port);
      return port;
    },

    dispose() {
      enter(home);
      for (const fd of spare.flat()) close(fd);
      events.flush();
      for (const namespace of namespaces) if (namespace !== home) closeSync(namespace);
      closeSync(home);
    },
  };
}
