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

/** A function that counts, cheap enough for ten times a second: blocks of visitors that are all done are counted once. */
export function progressCounter(outcomes: Outcomes): () => Progress {
  const { state, steps, visitors } = outcomes;
  const blocks = Math.ceil(visitors / VISITORS_PER_BLOCK);
  const doneCompleted = new Uint32Array(blocks);
  const doneDropped = new Uint32Array(blocks);
  const done = new Uint8Array(blocks);

  return () => {
    const sum: Progress = { due: 0, completed: 0, dropped: 0 };
    for (let block = 0, untouched = 0; block < blocks && untouched < UNTOUCHED_BLOCKS; block++) {
      if (done[block] === 1) {
        sum.completed += doneCompleted[block];
        sum.dropped += doneDropped[block];
        untouched = 0;
        continue;
      }
      const first = block * VISITORS_PER_BLOCK * steps;
      const end = Math.min((block + 1) * VISITORS_PER_BLOCK, visitors) * steps;
      let completed = 0;
      let dropped = 0;
      let underWay = 0;
      let settled = 0;
      for (let row = first; row < end; row++) {
        const value = state[row];
        if (value === RequestState.completed) completed++;
        else if (value === RequestState.dropped) dropped++;
        else if (value === RequestState.underWay) underWay++;
        // A visitor has nothing more to come after a dropped request, and after the last one.
        if (value === RequestState.dropped || (value === RequestState.completed && row % steps === steps - 1))
          settled++;
      }
      sum.completed += completed;
      sum.dropped += dropped;
      sum.due += underWay;
      untouched = completed + dropped + underWay === 0 ? untouched + 1 : 0;
      if (settled * steps === end - first) {
        done[block] = 1;
        doneCompleted[block] = completed;
        doneDropped[block] = dropped;
      }
    }
    sum.due += sum.completed + sum.dropped;
    return sum;
  };
}
