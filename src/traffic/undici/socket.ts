/** Sockets for undici: opened inside a client host's namespace, timed, and asked afterwards what happened to their SYN. */
import net from 'node:net';
import { C, getsockopt } from '../../sys/libc.js';
import { inNamespace } from '../../sys/namespace.js';
import { ClientError, UNKNOWN_8 } from '../outcomes.js';

/** Offset of tcpi_total_retrans in struct tcp_info (<linux/tcp.h>). */
const TOTAL_RETRANS_OFFSET = 100;

/** The first SYN is repeated after a second (TCP_TIMEOUT_INIT), so a handshake that took less, ns, had none. */
export const NO_RETRANSMIT_BELOW_NS = 0.9e9;

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

/** Segments that a connection has retransmitted so far (TCP_INFO); before any data these are its SYNs. 255: not known. */
export function retransmits(socket: net.Socket): number {
  const fd = (socket as unknown as { _handle: { fd: number } | null })._handle?.fd ?? -1;
  const info = new Uint8Array(TOTAL_RETRANS_OFFSET + 4);
  const length = new Uint32Array([info.length]);
  if (fd < 0 || getsockopt(fd, C.IPPROTO_TCP, C.TCP_INFO, info, length) !== 0) return UNKNOWN_8;
  return Math.min(new DataView(info.buffer).getUint32(TOTAL_RETRANS_OFFSET, true), UNKNOWN_8 - 1);
}

/** Whether the generator itself ran out of descriptors or memory. */
export function isOwnFailure(errno: number): boolean {
  return errno === C.EMFILE || errno === C.ENFILE || errno === C.ENOBUFS || errno === C.ENOMEM;
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
