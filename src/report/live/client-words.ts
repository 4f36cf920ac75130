/** How a request failed, in words that say what the client saw and no more: the cause is the ledger's to settle. */
import { Errno, errnoName } from '../../sys/errno.js';
import { ClientError, type Outcomes } from '../../traffic/outcomes.js';

/** What the client of a dropped request saw. */
export function clientSaw({ error, errno, status }: Outcomes, row: number): string {
  switch (error[row]) {
    case ClientError.syscall:
      return errno[row] === Errno.EADDRNOTAVAIL ? 'no local port left' : `connect: ${errnoName(errno[row])}`;
    case ClientError.connectTimeout:
      return 'connect timed out';
    case ClientError.connectFailed:
      return connectFailure(errno[row]);
    case ClientError.responseTimeout:
      return 'no answer in time';
    case ClientError.reset:
      return 'reset before the answer';
    case ClientError.closedEarly:
      return 'closed before the answer';
    case ClientError.badResponse:
      return 'answer is no HTTP';
    case ClientError.status:
      return `answered with ${status[row]}`;
    default:
      return 'failed';
  }
}

function connectFailure(code: number): string {
  if (code === Errno.ECONNREFUSED) return 'connect refused';
  if (code === Errno.ECONNRESET) return 'connect reset';
  return `connect: ${errnoName(code)}`;
}
