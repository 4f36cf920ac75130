/** What an answer or a failed call means for a request: the same for all engines, so that their numbers can be compared. */
import { C } from '../sys/libc.js';

const HTTP_CONFLICT = 409;
const HTTP_TOO_MANY_REQUESTS = 429;

/** Whether a request with this answer is lost: the server could not, or would not for the rate. Every other answer completes it. */
export function isLost(status: number): boolean {
  return status >= 500 || status === HTTP_TOO_MANY_REQUESTS;
}

/** Whether the answer says that the tickets are sold out, which ends the journey; one of a single step asks for none. */
export function isSoldOut(status: number, steps: number): boolean {
  return status === HTTP_CONFLICT && steps > 1;
}

/** Whether a call failed because the generator itself ran out of descriptors or memory. */
export function isOwnFailure(errno: number): boolean {
  return errno === C.EMFILE || errno === C.ENFILE || errno === C.ENOBUFS || errno === C.ENOMEM;
}
