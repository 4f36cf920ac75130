/** How a socket has ended, and how it is to end. */
import { C, connect, errno, getsockopt, setsockopt, shutdown } from '../../sys/libc.js';

const word = new Uint8Array(4);
const wordView = new DataView(word.buffer);
const length = new Uint32Array(1);
const lingerZero = new Uint8Array(new Int32Array([1, 0]).buffer);
/** A struct sockaddr of the family AF_UNSPEC. */
const nowhere = new Uint8Array(16);

/** SO_ERROR (socket(7)): the errno that ended it, or 0; the kernel forgets it with the asking. */
export function socketError(fd: number): number {
  length[0] = 4;
  return getsockopt(fd, C.SOL_SOCKET, C.SO_ERROR, word, length) === 0 ? wordView.getInt32(0, true) : errno();
}

/** Has the next close(2) send a RST (SO_LINGER, socket(7)). */
export function resetOnClose(fd: number): void {
  setsockopt(fd, C.SOL_SOCKET, C.SO_LINGER, lingerZero, lingerZero.length);
}

/**
 * Ends the connection of a socket that somebody else still holds, as the last close(2) would: by FIN, or by RST when `abort`
 * (connect(2) to AF_UNSPEC, tcp_disconnect). A handshake under way gives its port back at once.
 */
export function endConnection(fd: number, abort: boolean): void {
  if (abort) connect(fd, nowhere, nowhere.length);
  else shutdown(fd, C.SHUT_RDWR);
}
