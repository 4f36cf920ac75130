/**
 * One connection to Redis on the event loop: opened without waiting, one command under way at a time. What the kernel says when
 * it fails is kept word for word, because it is the evidence of why a request was lost.
 */
import type { UpstreamResult } from '../nodes/kind.js';
import { resultOfErrno } from '../nodes/upstream-result.js';
import {
  C,
  close,
  connect,
  errno,
  errnoName,
  getsockname,
  getsockopt,
  numberToIp,
  recv,
  send,
  socket,
} from '../sys/libc.js';
import type { EventLoop } from './event-loop.js';
import { type RespValue, respParser } from './resp.js';

/** How a connection, or the try to have one, ended. */
export interface ConnectionEnd {
  result: UpstreamResult;
  /** The failed call and its errno. */
  text: string;
}

/** What happens to a connection, told as it happens; nothing after `ended` or `close`. */
export interface ConnectionEvents {
  /** The handshake is done. */
  connected(): void;
  /** Redis has answered. */
  answered(value: RespValue): void;
  /** It is closed, by another hand than `close`. */
  ended(end: ConnectionEnd): void;
}

/** A connection that stands or is being made. */
export interface RedisConnection {
  /** Its own `address:port`. */
  readonly from: string;
  /** Sends a command; before the handshake is done it waits for that. */
  send(command: string): void;
  /** Closes it, this side first. */
  close(): void;
}

/** Shared by all connections: what is received is taken over at once. */
const received = Buffer.allocUnsafeSlow(65_536);

/** Opens a connection to a `struct sockaddr_in`; the end where the kernel refuses it at once. */
export function openRedisConnection(
  loop: EventLoop,
  address: Uint8Array,
  events: ConnectionEvents,
): RedisConnection | ConnectionEnd {
  const fd = socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK | C.SOCK_CLOEXEC, 0);
  if (fd < 0) return failure('socket', errno());
  const code = connect(fd, address, address.length) === 0 ? 0 : errno();
  if (code !== 0 && code !== C.EINPROGRESS) {
    close(fd);
    return failure('connect', code);
  }
  const from = nameOf(fd);
  const parser = respParser();
  let state: 'connecting' | 'open' | 'closed' = 'connecting';
  let unsent = Buffer.alloc(0);

  function happened(_fd: number, mask: number): void {
    if (state === 'connecting') {
      const failed = socketError(fd);
      if (failed !== 0) end(failure('connect', failed));
      if (failed !== 0 || !(mask & C.EPOLLOUT)) return;
      state = 'open';
      events.connected();
    }
    if (state === 'open' && mask & C.EPOLLOUT) flush();
    if (state === 'open' && mask & ~C.EPOLLOUT) readAll();
  }

  function flush(): void {
    while (unsent.length > 0) {
      const count = send(fd, unsent, unsent.length, C.MSG_NOSIGNAL);
      if (count < 0) {
        const failed = errno();
        if (failed !== C.EAGAIN) end({ result: 'reset', text: `send: ${errnoName(failed)}` });
        return;
      }
      unsent = unsent.subarray(count);
    }
  }

  function readAll(): void {
    for (;;) {
      const count = recv(fd, received, received.length, C.MSG_DONTWAIT);
      if (count > 0) {
        parser.feed(received.toString('latin1', 0, count));
        // An answer may be the reason to close the connection.
        if (!takeAnswers()) return;
      } else if (count === 0) {
        end({ result: 'closed-early', text: 'closed by the server' });
        return;
      } else {
        const failed = errno();
        if (failed === C.EINTR) continue;
        if (failed !== C.EAGAIN) end({ result: 'reset', text: `recv: ${errnoName(failed)}` });
        return;
      }
    }
  }

  /** False when the connection is closed by what was answered. */
  function takeAnswers(): boolean {
    try {
      for (let value = parser.next(); value !== undefined; value = parser.next()) {
        events.answered(value);
        if (state === 'closed') return false;
      }
      return true;
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      end({ result: 'failed', text: error.message });
      return false;
    }
  }

  function end(how: ConnectionEnd): void {
    shut();
    events.ended(how);
  }

  function shut(): void {
    if (state === 'closed') return;
    state = 'closed';
    loop.close(fd);
  }

  const refused = loop.add(fd, C.EPOLLIN | C.EPOLLOUT | C.EPOLLRDHUP | C.EPOLLET, happened);
  if (refused !== 0) {
    close(fd);
    return failure('epoll_ctl', refused);
  }
  return {
    from,
    send(command) {
      unsent = Buffer.concat([unsent, Buffer.from(command)]);
      if (state === 'open') flush();
    },
    close: shut,
  };
}

/** Whether a connection could not even be begun. */
export const isEnd = (opened: RedisConnection | ConnectionEnd): opened is ConnectionEnd => 'result' in opened;

function failure(call: string, code: number): ConnectionEnd {
  return { result: resultOfErrno(code) ?? 'failed', text: `${call}: ${errnoName(code)}` };
}

function nameOf(fd: number): string {
  const name = new Uint8Array(16);
  getsockname(fd, name, new Uint32Array([name.length]));
  const view = new DataView(name.buffer);
  return `${numberToIp(view.getUint32(4, false))}:${view.getUint16(2, false)}`;
}

function socketError(fd: number): number {
  const value = new Int32Array(1);
  getsockopt(fd, C.SOL_SOCKET, C.SO_ERROR, new Uint8Array(value.buffer), new Uint32Array([4]));
  return value[0];
}
