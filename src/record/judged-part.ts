/** The numbers of one part of a trial: of the visitors who arrived in it, when the chain was already as full as it gets. */

import type { Verdict } from '../ledger/causes.js';
import { outcomes as newOutcomes, type Outcomes, RequestState } from '../traffic/outcomes.js';
import { countCauses, countDelays } from './cause-counts.js';
import { countRequests, countVisitors } from './count-outcomes.js';
import { latencyHistograms, summariseLatency } from './latency.js';
import type { Measured } from './run-record.js';

/** A whole trial, and which part of it. */
export interface PartOf {
  whole: Measured;
  outcomes: Outcomes;
  /** Planned arrivals, ns since the start, sorted. */
  arrivalsNs: Float64Array;
  dropped: ReadonlyMap<number, Verdict>;
  delayed: ReadonlyMap<number, Verdict>;
  idPrefix: string;
  fromMs: number;
  toMs: number;
}

/**
 * Requests, visitors and latencies are those of the visitors who arrived in that time; throughput is what completed in that time, whoever
 * sent it. Pools, generator and validity are those of the whole trial.
 */
export function judgedPart({
  whole,
  outcomes,
  arrivalsNs,
  dropped,
  delayed,
  idPrefix,
  fromMs,
  toMs,
}: PartOf): Measured {
  const [first, end] = [firstFrom(arrivalsNs, fromMs * 1e6), firstFrom(arrivalsNs, toMs * 1e6)];
  const part = visitorsFrom(outcomes, first, end);
  const firstRow = first * outcomes.steps;
  const inPart = (verdicts: ReadonlyMap<number, Verdict>) =>
    new Map(
      [...verdicts]
        .map(([row, verdict]) => [row - firstRow, verdict] as const)
        .filter(([row]) => row >= 0 && row < part.rows),
    );
  const latency = latencyHistograms(part);
  const nameOf = (row: number) =>
    `${idPrefix}.${Math.floor((row + firstRow) / outcomes.steps)}.${row % outcomes.steps}`;
  return {
    ...whole,
    requests: {
      ...countRequests(part),
      byCause: countCauses(inPart(dropped), { outcomes: part, counters: {}, nameOf }),
      delayed: countDelays(inPart(delayed), part),
    },
    visitors: countVisitors(part),
    latency: { connect: summariseLatency(latency.connect), response: summariseLatency(latency.response) },
    throughput: { completedPerSecond: completedBetween(outcomes, fromMs, toMs) },
  };
}

/** Index of the first arrival at or after that time. */
function firstFrom(arrivalsNs: Float64Array, ns: number): number {
  let [low, high] = [0, arrivalsNs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (arrivalsNs[middle] < ns) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A copy of the rows of these visitors. */
function visitorsFrom(all: Outcomes, first: number, end: number): Outcomes {
  const part = newOutcomes(end - first, all.steps);
  const [from, to] = [first * all.steps, end * all.steps];
  for (const column of Object.keys(part) as (keyof Outcomes)[]) {
    const values = part[column];
    if (ArrayBuffer.isView(values)) (values as Float64Array).set((all[column] as Float64Array).subarray(from, to));
  }
  return part;
}

function completedBetween(outcomes: Outcomes, fromMs: number, toMs: number): number {
  let completed = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    const done = outcomes.doneNs[row];
    if (outcomes.state[row] === RequestState.completed && done >= fromMs * 1e6 && done < toMs * 1e6) completed++;
  }
  return Number((completed / ((toMs - fromMs) / 1000)).toFixed(2));
}
