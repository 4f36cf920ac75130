/** A TCP client that shows what HTTP libraries hide: the bytes, and who closed when. */
import { connect, type Socket } from 'node:net';

export interface RawClient {
  socket: Socket;
  /** What has arrived so far, as Latin-1. */
  readonly text: string;
  /** Resolves when the handshake is done. */
  connected: Promise<void>;
  /** Resolves when what has arrived satisfies `wanted`; rejects when the connection ends before. */
  until(wanted: (text: string) => boolean): Promise<string>;
  /** Resolves when the server has closed: 'fin', or the error's code (`ECONNRESET`). */
  closed: Promise<string>;
}

export function rawClient(port: number, address = '127.0.0.1'): RawClient {
  const socket = connect({ port, host: address, allowHalfOpen: true });
  let text = '';
  let ending: string | undefined;
  let waiters: (() => void)[] = [];
  const wake = () => {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  };
  socket.setEncoding('latin1');
  socket.on('data', (chunk) => {
    text += chunk;
    wake();
  });
  const closed = new Promise<string>((resolve) => {
    const end = (how: string) => {
      ending ??= how;
      resolve(ending);
      wake();
    };
    socket.once('end', () => end('fin'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
    socket.once('close', () => end('closed here'));
  });
  return {
    socket,
    get text() {
      return text;
    },
    connected: new Promise((resolve) => socket.once('connect', resolve)),
    async until(wanted) {
      while (!wanted(text)) {
        if (ending !== undefined) throw new Error(`the connection ended (${ending}) after: ${text}`);
        await new Promise<void>((resolve) => waiters.push(resolve));
      }
      return text;
    },
    closed,
  };
}

/** True when `text` holds at least `count` whole answers of `fixed`. */
export const answers = (count: number) => (text: string) => text.split('\r\n\r\nok\n').length > count;
