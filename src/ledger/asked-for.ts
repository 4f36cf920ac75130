/** Which requests the ledger and the ways ask for: nobody looks again at most of those that went well. */
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import { isToldAnyway } from './kept-ways.js';
import { repeatedItsSyn } from './late.js';

/** Whether this row is asked for by what its client saw: it was lost, repeated its SYN, or has its way told though nothing was the matter. */
export function isAskedFor(outcomes: Outcomes, row: number): boolean {
  return outcomes.state[row] !== RequestState.completed || repeatedItsSyn(outcomes, row) || isToldAnyway(outcomes, row);
}
