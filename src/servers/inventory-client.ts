/** A shop worker's connection to the inventory: commands of one round of the event loop go out together, replies come in order. */
import { setTimeout as sleep } from 'node:timers/promises';
import { testbedError } from '../errors.js';
import { C, close, connect, errno, errnoName, recv, send, socket } from '../sys/libc.js';
import type { Chore, EventLoop } from './event-loop.js';
import type { InventoryCommand, InventoryReply } from './inventory-protocol.js';
import type { StoreVisit } from './request-log.js';
import { MAX_SOCKET_PATH } from './unix-socket.js';

const RETRY_MS = 20;

/** Called with the reply, or undefined when the inventory cannot be reached; with the way to it where that leads over the network. */
export type ReplyHandler = (reply: InventoryReply | undefined, store?: StoreVisit) => void;

/** The way to the stock, whether a process on this machine or Redis keeps it. */
export interface InventoryClient {
  /** Asks. `answer` is called once, perhaps before this returns, and never after `close`. */
  ask(command: InventoryCommand, answer: ReplyHandler): void;
  /** Sends what was asked since the last call: give it to the event loop behind everything that asks. */
  chore: Chore;
  /** Closes its connections. */
  close(): void;
}

/** A struct sockaddr_un. Throws a testbedError when the path is too long. */
function sockaddrUn(path: string): Uint8Array {
  const name = Buffer.from(path);
  if (name.length > MAX_SOCKET_PATH) {
    throw testbedError(`the path of a unix socket has ${name.length} bytes, at most ${MAX_SOCKET_PATH} fit`, path);
  }
  const bytes = new Uint8Array(2 + name.length + 1);
  new DataView(bytes.buffer).setUint16(0, C.AF_UNIX, true);
  bytes.set(name, 2);
  return bytes;
}

/** Connects at once: the descriptor, or minus the errno. A unix socket has no handshake to wait for. */
function connectNow(address: Uint8Array): number {
  const fd = socket(C.AF_UNIX, C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno();
  if (connect(fd, address, address.length) === 0) return fd;
  const code = errno();
  close(fd);
  return -code;
}

/**
 * Connects, and tries again for up to `patienceMs` while the inventory is not there yet. Throws a testbedError after it.
 * A connection that breaks later is made again with the next command.
 * @param trouble told once each time that the inventory cannot be reached
 */
export async function inventoryClient(
  loop: EventLoop,
  path: string,
  patienceMs: number,
  trouble: (text: string) => void,
): Promise<InventoryClient> {
  const address = sockaddrUn(path);
  const received = Buffer.allocUnsafeSlow(65_536);
  let fd = -1;
  let waiting: ReplyHandler[] = [];
  let unsent = '';
  let rest = '';
  let told = false;

  /** Connects and watches. Returns 0 or the errno. */
  function open(): number {
    const made = connectNow(address);
    if (made < 0) return -made;
    const code = loop.add(made, C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET, happened);
    if (code === 0) fd = made;
    else close(made);
    return code;
  }

  function reach(): boolean {
    if (fd >= 0) return true;
    const code = open();
    if (code === 0) told = false;
    else tell(`connect ${path}: ${errnoName(code)}`);
    return code === 0;
  }

  function tell(text: string): void {
    if (!told) trouble(text);
    told = true;
  }

  function happened(_fd: number, mask: number): void {
    if (mask & C.EPOLLOUT) flush();
    if (mask & ~C.EPOLLOUT && fd >= 0) readAll();
  }

  function flush(): void {
    if (unsent === '' || fd < 0) return;
    const bytes = Buffer.from(unsent);
    const count = send(fd, bytes, bytes.length, C.MSG_NOSIGNAL);
    if (count === bytes.length) unsent = '';
    else if (count >= 0) unsent = bytes.toString('utf8', count);
    else if (errno() !== C.EAGAIN) broken(`send: ${errnoName(errno())}`);
  }

  function readAll(): void {
    for (;;) {
      const count = recv(fd, received, received.length, C.MSG_DONTWAIT);
      if (count > 0) take(received.toString('latin1', 0, count));
      else if (count === 0) {
        broken('the inventory has closed the connection');
        return;
      } else {
        const code = errno();
        if (code === C.EINTR) continue;
        if (code !== C.EAGAIN) broken(`recv: ${errnoName(code)}`);
        return;
      }
    }
  }

  function take(text: string): void {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    for (const line of lines) waiting.shift()?.(JSON.parse(line) as InventoryReply);
  }

  function broken(text: string): void {
    loop.close(fd);
    fd = -1;
    const left = waiting;
    waiting = [];
    unsent = '';
    rest = '';
    tell(text);
    for (const answer of left) answer(undefined);
  }

  const giveUpAt = Date.now() + patienceMs;
  for (let code = open(); code !== 0; code = open()) {
    if (Date.now() >= giveUpAt) throw testbedError(`cannot reach the inventory: ${errnoName(code)}`, path);
    await sleep(RETRY_MS);
  }

  return {
    ask(command, answer) {
      if (!reach()) {
        answer(undefined);
        return;
      }
      unsent += `${JSON.stringify(command)}\n`;
      waiting.push(answer);
    },
    chore() {
      flush();
      return Number.POSITIVE_INFINITY;
    },
    close() {
      if (fd >= 0) loop.close(fd);
      fd = -1;
    },
  };
}
