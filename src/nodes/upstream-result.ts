/** The errno with which a connection did not come about, as the result of a proxy's or a server's try. */
import { Errno } from '../sys/errno.js';
import type { UpstreamResult } from './kind.js';

const BY_ERRNO: Record<number, UpstreamResult> = {
  [Errno.ENFILE]: 'file-limit',
  [Errno.EMFILE]: 'file-limit',
  [Errno.EADDRINUSE]: 'no-local-port',
  [Errno.EADDRNOTAVAIL]: 'no-local-port',
  [Errno.ENETUNREACH]: 'unreachable',
  [Errno.ECONNRESET]: 'reset',
  [Errno.ETIMEDOUT]: 'connect-timeout',
  [Errno.ECONNREFUSED]: 'refused',
  [Errno.EHOSTUNREACH]: 'unreachable',
};

/** What the errno of socket(2) or connect(2) says of a try (errno(3)); undefined for one that says nothing of it. */
export function resultOfErrno(errno: number): UpstreamResult | undefined {
  return BY_ERRNO[errno];
}
