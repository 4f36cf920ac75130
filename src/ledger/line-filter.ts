/** Which log lines the ledger and the ways may ask for: most servers' lines say that a request was answered, and nobody asks again. */
import type { Sighting } from '../nodes/kind.js';
import type { TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { isAskedFor } from './asked-for.js';
import { isAnsweredLate } from './late.js';
import { rowOfId } from './row-of-id.js';

/** Of one trial whose sending is over. */
export interface LineFilter {
  /** Whether a line about this request may be asked for, though it says only that it was answered. */
  wants(id: string): boolean;
  /** What a proxy had trouble with is followed to its backends, whatever became of the request. */
  follow(sightings: Iterable<Sighting>): void;
}

/** Wants what was lost or repeated its SYN, and the requests whose ways are told of those that went well. */
export function lineFilter(traffic: TrafficPlan, outcomes: Outcomes): LineFilter {
  const followed = new Set<number>();
  return {
    wants(id) {
      const row = rowOfId(traffic, outcomes, id);
      return row === undefined || isAskedFor(outcomes, row) || followed.has(row);
    },
    follow(sightings) {
      for (const { id, tries } of sightings) {
        if (!tries.some((one) => one.result !== 'answered' || isAnsweredLate(one))) continue;
        const row = rowOfId(traffic, outcomes, id);
        if (row !== undefined) followed.add(row);
      }
    },
  };
}
