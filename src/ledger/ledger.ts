/** The ledger: exactly one cause and place for every lost request, and the cause of the delay of every late one. */
import type { Observations } from '../observe/observations.js';
import type { Plan } from '../topology/plan.js';
import type { TrafficPlan } from '../traffic/engine.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import { type CaseFile, caseFile } from './case-file.js';
import type { Verdict } from './causes.js';
import { withEvents } from './chain-events.js';
import { verdictOfDelayed, verdictOfLost } from './client-side.js';
import { isAnsweredLate, repeatedItsSyn } from './late.js';
import { verdictOfLateUpstream } from './proxy-side.js';
import { rowOfId } from './row-of-id.js';

/** Verdicts by outcome row. */
export interface Ledger {
  lost: Map<number, Verdict>;
  delayed: Map<number, Verdict>;
}

/** Decides every lost and every late request of a trial. Pure. */
export function keepLedger(plan: Plan, traffic: TrafficPlan, outcomes: Outcomes, observations: Observations): Ledger {
  return ledgerOf(caseFile(plan, traffic, outcomes, observations));
}

/** The same from a case file that the ways of the requests are told from as well. */
export function ledgerOf(file: CaseFile): Ledger {
  const { traffic, outcomes, observations } = file;
  const lost = new Map<number, Verdict>();
  const delayed = new Map<number, Verdict>();
  for (let row = 0; row < outcomes.rows; row++) {
    if (outcomes.state[row] === RequestState.dropped)
      lost.set(row, withEvents(file, verdictOfLost(file, row), outcomes.doneNs[row]));
    else if (outcomes.state[row] === RequestState.completed && repeatedItsSyn(outcomes, row)) {
      const verdict = verdictOfDelayed(file, row);
      if (verdict !== undefined) delayed.set(row, verdict);
    }
  }
  for (const sighting of [...observations.sightings.values()].flat()) {
    const late = sighting.tries.find(isAnsweredLate);
    if (late === undefined) continue;
    const row = rowOfId(traffic, outcomes, sighting.id);
    if (row === undefined || outcomes.state[row] !== RequestState.completed || delayed.has(row)) continue;
    const verdict = verdictOfLateUpstream(file, sighting, late);
    if (verdict !== undefined) delayed.set(row, verdict);
  }
  return { lost, delayed };
}
