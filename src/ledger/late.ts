/** Signs in outcomes and logs that a connection needed more than one SYN. */
import type { UpstreamTry } from '../nodes/kind.js';
import { type Outcomes, UNKNOWN_8 } from '../traffic/outcomes.js';

/** A proxy's handshake that took this long had repeated its SYN (TCP_TIMEOUT_INIT is 1 s), ms. */
export const REPEATED_SYN_MS = 900;

/** The client of this row had to repeat the SYN of the connection that it opened. */
export function repeatedItsSyn(outcomes: Outcomes, row: number): boolean {
  const repeated = outcomes.synRetransmits[row];
  return repeated > 0 && repeated !== UNKNOWN_8 && !Number.isNaN(outcomes.connectNs[row]);
}

/** A proxy's try that was answered, by a connection that had to repeat its SYN. */
export function isAnsweredLate({ result, connectMs = 0 }: UpstreamTry): boolean {
  return result === 'answered' && connectMs >= REPEATED_SYN_MS;
}
