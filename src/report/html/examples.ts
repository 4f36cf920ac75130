/** Picks single requests of a trial by way of example: the first few of each cause. */
import type { RequestRow } from '../../record/read-requests.js';
import { lossLabel } from './trial-series.js';

/** Requests that are shown of one cause. */
const EXAMPLES_PER_CAUSE = 3;

/** Gathers requests. */
export interface ExampleGatherer {
  /** Takes up one request, in the order of the record. */
  add(row: RequestRow): void;
  /** So many at most: where not all find room, each cause in turn has one, that which struck the most requests first. */
  take(most: number): RequestRow[];
}

/** Nothing gathered yet. */
export function newExamples(): ExampleGatherer {
  const causes = new Map<string, { struck: number; first: RequestRow[] }>();
  return {
    add(row) {
      if (row.cause === null) return;
      const key = `${row.state} ${lossLabel(row)}`;
      const known = causes.get(key) ?? { struck: 0, first: [] };
      causes.set(key, known);
      known.struck++;
      if (known.first.length < EXAMPLES_PER_CAUSE) known.first.push(row);
    },
    take(most) {
      const all = [...causes.values()].sort((a, b) => b.struck - a.struck);
      const inTurn = Array.from({ length: EXAMPLES_PER_CAUSE }, (_, turn) =>
        all.flatMap(({ first }) => first.slice(turn, turn + 1)),
      );
      return inTurn.flat().slice(0, most);
    },
  };
}
