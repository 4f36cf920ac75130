/** Outcomes counted: requests, visitors, and how many requests a second completed. */
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import type { Measured } from './run-record.js';

/** Requests that came due by their end, and all of their tries. One that is still under way is due and neither completed nor dropped. */
export function countRequests(outcomes: Outcomes): {
  due: number;
  completed: number;
  dropped: number;
  attempts: number;
} {
  const counts = { due: 0, completed: 0, dropped: 0, attempts: 0 };
  for (let row = 0; row < outcomes.rows; row++) {
    const state = outcomes.state[row];
    if (state === RequestState.notDue) continue;
    counts.due++;
    counts.attempts += outcomes.attempts[row];
    if (state === RequestState.completed) counts.completed++;
    else if (state === RequestState.dropped) counts.dropped++;
  }
  return counts;
}

/** Visitors by how they ended; one who stopped in the middle has only arrived. */
export function countVisitors(outcomes: Outcomes): Measured['visitors'] {
  const counts = { arrived: 0, served: 0, soldOut: 0, turnedAway: 0 };
  for (let visitor = 0; visitor < outcomes.visitors; visitor++) {
    const first = visitor * outcomes.steps;
    if (outcomes.state[first] === RequestState.notDue) continue;
    counts.arrived++;
    let [completed, soldOut, dropped] = [0, false, false];
    for (let row = first; row < first + outcomes.steps; row++) {
      if (outcomes.state[row] === RequestState.completed) completed++;
      if (outcomes.state[row] === RequestState.dropped) dropped = true;
      if (outcomes.soldOut[row] === 1) soldOut = true;
    }
    if (dropped) counts.turnedAway++;
    else if (soldOut) counts.soldOut++;
    else if (completed === outcomes.steps) counts.served++;
  }
  return counts;
}

/** From the first planned time to the last answer; 0 when nothing completed. */
export function completedPerSecond(outcomes: Outcomes, completed: number): number {
  if (completed === 0) return 0;
  let [firstDue, lastDone] = [Number.POSITIVE_INFINITY, 0];
  for (let row = 0; row < outcomes.rows; row++) {
    if (outcomes.dueNs[row] < firstDue) firstDue = outcomes.dueNs[row];
    if (outcomes.state[row] === RequestState.completed && outcomes.doneNs[row] > lastDone)
      lastDone = outcomes.doneNs[row];
  }
  return Number(((completed * 1e9) / (lastDone - firstDue)).toFixed(2));
}
