/** Aftershocks: the times in which a proxy held its backends down, each with the failure that it followed from. */
import { groupBy } from '../collections.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { Cause, Verdict } from './causes.js';

/** One time of refusing without trying. */
export interface Aftershock {
  /** The node that refused. */
  at: string;
  /** What had its backends held down; absent where nothing tells. */
  because?: { cause: Cause; at: string };
  /** When it began, ms since the trial's start: the failure itself, or, where nothing tells it, the first refusal. */
  beganMs: number;
  /** From then to the last request that was lost to it, ms. */
  lastedMs: number;
  /** Requests lost to it. */
  count: number;
  /** Only where several trials are brought together. */
  trial?: number;
}

/** Refusals this close together belong to one time, whatever failed in between: several workers and backends fail one by one. */
const ONE_TIME_NS = 1e9;

/** The aftershocks of a trial in the order of their beginning. */
export function aftershocksOf(lost: ReadonlyMap<number, Verdict>, outcomes: Outcomes): Aftershock[] {
  const refusals = [...lost]
    .filter(([, { cause }]) => cause === 'backend-held-down')
    .map(([row, verdict]) => ({ verdict, atNs: outcomes.doneNs[row] }));
  const byPlace = groupBy(refusals, ({ verdict: { at, because } }) => `${at} ${because?.cause}@${because?.at}`);
  return [...byPlace.values()].flatMap(inTimes).sort((a, b) => a.beganMs - b.beganMs);
}

function inTimes(refusals: { verdict: Verdict; atNs: number }[]): Aftershock[] {
  const sorted = refusals.sort((a, b) => a.atNs - b.atNs);
  const times: { first: Verdict; beganNs: number; lastNs: number; count: number }[] = [];
  for (const { verdict, atNs } of sorted) {
    const { quakeNs } = verdict;
    const last = times.at(-1);
    const isNew = last === undefined || (atNs - last.lastNs > ONE_TIME_NS && (quakeNs ?? atNs) > last.lastNs);
    if (isNew) times.push({ first: verdict, beganNs: Math.min(quakeNs ?? atNs, atNs), lastNs: atNs, count: 1 });
    else {
      last.lastNs = atNs;
      last.count++;
      last.beganNs = Math.min(last.beganNs, quakeNs ?? atNs);
    }
  }
  const ms = (ns: number) => Math.round(ns / 1e6);
  return times.map(({ first: { at, because }, beganNs, lastNs, count }) => ({
    at,
    ...(because === undefined ? {} : { because }),
    beganMs: ms(beganNs),
    lastedMs: ms(lastNs - beganNs),
    count,
  }));
}
