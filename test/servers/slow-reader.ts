/** A TCP client with a small receive buffer that reads only when asked to: it makes a server's send(2) come up short. */
import { C, close, connect, recv, send, setsockopt, sockaddrIn, socket } from '../../src/sys/libc.js';

export interface SlowReader {
  /** Sends all, blocking. */
  send(text: string): void;
  /** What has arrived since, as Latin-1; '' when nothing has. */
  read(): string;
  close(): void;
}

export function slowReader(port: number, receiveBytes: number): SlowReader {
  const fd = socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_CLOEXEC, 0);
  setsockopt(fd, C.SOL_SOCKET, C.SO_RCVBUF, new Uint8Array(new Int32Array([receiveBytes]).buffer), 4);
  const address = sockaddrIn('127.0.0.1', port);
  if (connect(fd, address, address.length) !== 0) throw new Error('connect failed');
  const buffer = Buffer.alloc(65_536);
  return {
    send(text) {
      const bytes = Buffer.from(text, 'latin1');
      for (let at = 0; at < bytes.length; ) {
        const rest = bytes.subarray(at);
        const count = send(fd, rest, rest.length, C.MSG_NOSIGNAL);
        if (count < 0) throw new Error('send failed');
        at += count;
      }
    },
    read() {
      const count = recv(fd, buffer, buffer.length, C.MSG_DONTWAIT);
      return count > 0 ? buffer.toString('latin1', 0, count) : '';
    },
    close: () => void close(fd),
  };
}
