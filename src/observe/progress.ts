/** How many requests came due, completed and were dropped so far, without looking at every row each time. */
import { type Outcomes, RequestState } from '../traffic/outcomes.js';

/** Requests so far. */
export interface Progress {
  due: number;
  completed: number;
  dropped: number;
}

const VISITORS_PER_BLOCK = 1024;
/** Visitors come in the order of their rows, give or take what parallel senders differ by: so far ahead is looked. */
const UNTOUCHED_BLOCKS = 4;

/** A function that counts, cheap enough for ten times a second. */
export function progressCounter(outcomes: Outcomes): () => Progress {
  const rows = settledRows(outcomes);
  let completed = 0;
  let dropped = 0;
  const visit = (row: number) => {
    if (outcomes.state[row] === RequestState.dropped) dropped++;
    else completed++;
  };
  return () => {
    const underWay = rows(visit, Number.POSITIVE_INFINITY);
    return { due: completed + dropped + underWay, completed, dropped };
  };
}

/**
 * Looks at most at so many requests (and the rest of a block), and calls `visit` with the row of each that has ended and was not visited
 * before. Gives how many are under way, as far as it has looked.
 */
export type SettledRows = (visit: (row: number) => void, most: number) => number;

/**
 * Visits every request that has completed or been dropped, once. Blocks of visitors that are all done are not looked at again, and those in
 * which nothing has changed are compared as a whole; what one call leaves over, the next one goes on with.
 */
export function settledRows(outcomes: Outcomes): SettledRows {
  const { state, soldOut, steps, visitors, rows } = outcomes;
  const blocks = Math.ceil(visitors / VISITORS_PER_BLOCK);
  const states = Buffer.from(outcomes.buffer, state.byteOffset, rows);
  /** The states as they were when they were looked at. */
  const told = Buffer.alloc(rows);
  const visitorsLeft = new Uint16Array(blocks).fill(VISITORS_PER_BLOCK);
  if (blocks > 0) visitorsLeft[blocks - 1] = visitors - (blocks - 1) * VISITORS_PER_BLOCK;
  const touched = new Uint8Array(blocks);
  let front = 0;
  let block = 0;
  let untouched = 0;
  let underWay = 0;

  return (visit, most) => {
    for (let looked = 0; looked < most; block++) {
      while (front < blocks && visitorsLeft[front] === 0) front++;
      if (block >= blocks || untouched >= UNTOUCHED_BLOCKS) {
        block = front;
        untouched = 0;
        break;
      }
      if (visitorsLeft[block] === 0) continue;
      const first = block * VISITORS_PER_BLOCK * steps;
      const end = Math.min((block + 1) * VISITORS_PER_BLOCK, visitors) * steps;
      looked += end - first;
      if (states.compare(told, first, end, first, end) === 0) {
        untouched = touched[block] === 1 ? 0 : untouched + 1;
        continue;
      }
      touched[block] = 1;
      untouched = 0;
      for (let row = first; row < end; row++) {
        const value = state[row];
        if (value === told[row]) continue;
        if (told[row] === RequestState.underWay) underWay--;
        told[row] = value;
        if (value === RequestState.underWay) {
          underWay++;
          continue;
        }
        visit(row);
        // A visitor has nothing more to come after a dropped request, after the last one, and when the tickets are sold out.
        if (value === RequestState.dropped || row % steps === steps - 1 || soldOut[row] === 1) visitorsLeft[block]--;
      }
    }
    return underWay;
  };
}
