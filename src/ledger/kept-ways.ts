/** Which requests' ways a record keeps: all that were lost or late, and so many of the others that a record stays small. */
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import type { CaseFile } from './case-file.js';
import type { Ledger } from './ledger.js';
import { type Way, wayOf } from './way.js';

/** Most ways that are kept of one trial. */
const MOST_LOST_WAYS = 50_000;
const MOST_COMPLETED_WAYS = 10_000;

/** What was kept: of the lost and the late requests every n-th; of the completed ones those of every n-th visitor. */
export interface KeptWays {
  lostEvery: number;
  visitorsEvery: number;
}

/** How many a trial of this size keeps. */
export function keptWays(outcomes: Outcomes, ledger: Ledger): KeptWays {
  const marked = ledger.lost.size + ledger.delayed.size;
  return {
    lostEvery: Math.max(1, Math.ceil(marked / MOST_LOST_WAYS)),
    visitorsEvery: visitorsEvery(outcomes),
  };
}

function visitorsEvery({ rows }: Outcomes): number {
  return Math.max(1, Math.ceil(rows / MOST_COMPLETED_WAYS));
}

/** Whether the way of this row is kept even if nothing was the matter with it. */
export function isToldAnyway(outcomes: Outcomes, row: number): boolean {
  return Math.floor(row / outcomes.steps) % visitorsEvery(outcomes) === 0;
}

/** The ways that are kept, in the order of their rows; each is made when it is asked for. */
export function* waysOf(file: CaseFile, ledger: Ledger): Generator<Way, void, undefined> {
  const { outcomes } = file;
  const { lostEvery } = keptWays(outcomes, ledger);
  // Of a million rows few are marked, and a look into a table of bytes costs a fraction of one into the maps.
  const isMarked = new Uint8Array(outcomes.rows);
  for (const verdicts of [ledger.lost, ledger.delayed]) for (const row of verdicts.keys()) isMarked[row] = 1;
  let marked = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    if (outcomes.state[row] === RequestState.notDue) continue;
    const wanted = isMarked[row] === 1 && marked++ % lostEvery === 0;
    if (wanted || isToldAnyway(outcomes, row)) yield wayOf(file, row);
  }
}
