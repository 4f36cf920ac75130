/** Error numbers of Linux (<asm-generic/errno.h>), the same on x86_64 and arm64, without loading any native code. */

/** Those that this program tells apart; each means what errno(3) says. */
export const Errno = {
  ENOENT: 2,
  EINTR: 4,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  EPIPE: 32,
  ETIME: 62,
  EADDRINUSE: 98,
  EADDRNOTAVAIL: 99,
  ENETDOWN: 100,
  ENETUNREACH: 101,
  ECONNABORTED: 103,
  ECONNRESET: 104,
  ENOBUFS: 105,
  ETIMEDOUT: 110,
  ECONNREFUSED: 111,
  EHOSTUNREACH: 113,
  EINPROGRESS: 115,
} as const;

/** The standard name of an errno that this program meets, else `errno N`. */
export function errnoName(code: number): string {
  return Object.entries(Errno).find(([, value]) => value === code)?.[0] ?? `errno ${code}`;
}
