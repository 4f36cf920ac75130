/**
 * A process that holds connections, both ends of each, from one network namespace to another, so that a host has many sockets. It says
 * `holding` once all are established, and keeps them until it is killed.
 */
import { fileURLToPath } from 'node:url';
import { raiseDescriptorLimit } from '../../dist/sys/descriptors.js';
import { accept4, bind, C, connect, errno, errnoName, listen, sockaddrIn, socket } from '../../dist/sys/libc.js';
import { inNamespace } from '../../dist/sys/namespace.js';

const SELF = fileURLToPath(import.meta.url);

/** Both ends of a connection are descriptors of one process, which may have 20,000. */
export const PER_PROCESS = 9000;

/** argv of a process that holds `count` connections from the namespace at `client` to `address` in the one at `server`, to `ports` in turn. */
export const holdArgv = (job) => [process.execPath, SELF, JSON.stringify(job)];

function hold({ client, server, address, ports, count }) {
  raiseDescriptorLimit();
  const open = (netns) => inNamespace(netns, () => socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_CLOEXEC, 0));
  const listeners = ports.map((port) => {
    const fd = open(server);
    if (bind(fd, sockaddrIn(address, port), 16) !== 0 || listen(fd, 128) !== 0) throw new Error(errnoName(errno()));
    return { fd, port };
  });
  for (let opened = 0; opened < count; opened++) {
    const { fd, port } = listeners[opened % listeners.length];
    const one = open(client);
    if (one < 0 || connect(one, sockaddrIn(address, port), 16) !== 0) throw new Error(`connect: ${errnoName(errno())}`);
    if (accept4(fd, null, null, C.SOCK_CLOEXEC) < 0) throw new Error(`accept: ${errnoName(errno())}`);
  }
  console.log('holding');
  setInterval(() => {}, 1 << 30);
}

if (process.argv[1] === SELF) hold(JSON.parse(process.argv[2]));
