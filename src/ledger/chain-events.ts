/** What was done to the chain while traffic ran, as evidence: when a gateway was off, and what had happened to a node by then. */
import type { ChainEvent } from '../observe/observations.js';
import { secondsOfNs } from '../seconds.js';
import type { Bounds } from './bounds.js';
import type { CaseFile } from './case-file.js';
import type { Verdict } from './causes.js';

/** A log time or a time-out lies at most this much before the packet that belongs to it. */
const CLOCK_SLACK_NS = 5e6;
/** Events of a node that its losses are told with: the last ones before them. */
const MOST_TOLD = 2;

/** Times that a gateway was switched off by an event: from its beginning to the end of the one that switched it on again. */
function timesOff(events: ChainEvent[], host: string): Bounds[] {
  const off: Bounds[] = [];
  for (const { kinds, hosts, startedNs, tookMs } of events) {
    if (startedNs === undefined || !hosts.includes(host)) continue;
    const last = off.at(-1);
    const isOff = last?.toNs === Number.POSITIVE_INFINITY;
    if (kinds.includes('kill') && !isOff) off.push({ fromNs: startedNs, toNs: Number.POSITIVE_INFINITY });
    else if (kinds.includes('restart') && isOff) last.toNs = startedNs + tookMs * 1e6;
  }
  return off;
}

/** `unreachable` at a gateway that an event had switched off at some time within the bounds; undefined when it was on. */
export function switchedOff(file: CaseFile, host: string, bounds: Bounds): Verdict | undefined {
  const off = timesOff(file.observations.events, host).find(
    ({ fromNs, toNs }) => fromNs <= bounds.toNs + CLOCK_SLACK_NS && toNs >= bounds.fromNs - CLOCK_SLACK_NS,
  );
  if (off === undefined) return undefined;
  const until = Number.isFinite(off.toNs) ? ` until ${secondsOfNs(off.toNs)}` : '';
  return {
    cause: 'unreachable',
    at: file.host(host).node,
    evidence: [`${host}: switched off at ${secondsOfNs(off.fromNs)}${until}, by an event`],
  };
}

/** The same for any gateway between a host and where its connections go. */
export function switchedOffOnTheWay(file: CaseFile, from: string, bounds: Bounds): Verdict | undefined {
  for (const gateway of file.gatewaysFrom(from).flat()) {
    const off = switchedOff(file, gateway.name, bounds);
    if (off !== undefined) return off;
  }
  return undefined;
}

/** The verdict, with the events that had happened to its node, or to the node of its root, by `doneNs`. */
export function withEvents(file: CaseFile, verdict: Verdict, doneNs: number): Verdict {
  const { events } = file.observations;
  if (events.length === 0) return verdict;
  const nodes = [verdict.at, verdict.because?.at];
  const told = events.filter(
    ({ startedNs, hosts }) =>
      startedNs !== undefined && startedNs <= doneNs && hosts.some((host) => nodes.includes(file.host(host).node)),
  );
  if (told.length === 0) return verdict;
  const lines = told.slice(-MOST_TOLD).map(({ text, startedNs }) => `event at ${secondsOfNs(startedNs!)}: ${text}`);
  return { ...verdict, evidence: [...verdict.evidence, ...lines] };
}
