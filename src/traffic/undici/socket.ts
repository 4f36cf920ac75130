/** Sockets for undici: opened inside a client host's namespace, and how they failed in the outcomes' words. */
import net from 'node:net';
import { inNamespace } from '../../sys/namespace.js';
import { ClientError } from '../outcomes.js';

/** Why a try failed: the outcome's columns `error` and `errno`. */
export interface Failure {
  error: ClientError;
  errno: number;
}

/** Opens a TCP connection from a namespace (null: the present one). Its failure comes as an `error` event, as ever. */
export function openSocket(netns: string | null, address: string, port: number): net.Socket {
  // Node puts off connecting to an address literal until the namespace was left again. To a name whose look-up
  // answers at once, it calls socket() and connect() before net.connect() returns.
  return inNamespace(netns, () =>
    net.connect({
      host: 'target',
      port,
      noDelay: true,
      autoSelectFamily: false,
      lookup: (_host, _options, found) => found(null, address, 4),
    }),
  );
}

/** errno of a Node error, 0 when it has none. */
function errnoOf(error: NodeJS.ErrnoException): number {
  return Math.abs(error.errno ?? 0);
}

/** A connection that was not established; `atOnce`: connect() itself failed. */
export function connectFailure(error: NodeJS.ErrnoException, atOnce: boolean): Failure {
  return { error: atOnce ? ClientError.syscall : ClientError.connectFailed, errno: errnoOf(error) };
}

/** An undici error on an established connection. Throws those that are this program's own mistakes. */
export function responseFailure(error: NodeJS.ErrnoException): Failure {
  const { code = '' } = error;
  if (errnoOf(error) !== 0) return { error: ClientError.reset, errno: errnoOf(error) };
  if (code === 'HPE_INVALID_EOF_STATE' || code === 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH')
    return { error: ClientError.closedEarly, errno: 0 };
  if (error.name === 'HTTPParserError' || code === 'UND_ERR_HEADERS_OVERFLOW' || error.message.startsWith('bad '))
    return { error: ClientError.badResponse, errno: 0 };
  if (code === 'UND_ERR_SOCKET') return { error: ClientError.closedEarly, errno: 0 };
  throw error;
}
