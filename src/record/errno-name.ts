/** Names of the Linux errnos that a client's sockets meet, without loading any system library: records are read on every system. */

const NAMES: Record<number, string> = {
  13: 'EACCES',
  22: 'EINVAL',
  23: 'ENFILE',
  24: 'EMFILE',
  32: 'EPIPE',
  98: 'EADDRINUSE',
  99: 'EADDRNOTAVAIL',
  100: 'ENETDOWN',
  101: 'ENETUNREACH',
  103: 'ECONNABORTED',
  104: 'ECONNRESET',
  105: 'ENOBUFS',
  110: 'ETIMEDOUT',
  111: 'ECONNREFUSED',
  113: 'EHOSTUNREACH',
};

/** The symbolic name of a Linux errno (include/uapi/asm-generic/errno.h), else `errno N`. */
export function linuxErrnoName(errno: number): string {
  return NAMES[errno] ?? `errno ${errno}`;
}
