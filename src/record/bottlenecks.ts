/**
 * Whether a daemon itself was the bottleneck, and not a setting of the chain: it had work for a whole second without a pause, and the requests
 * of that time were slow, or lost to it.
 *
 *     |--- spell: thread ran 0.61 + waited 0.36 ---|--- spell: 0.98 ---|      one stretch, where requests were hurt in it
 */
import { groupBy } from '../collections.js';
import type { Cause, Verdict } from '../ledger/causes.js';
import type { BusySpell } from '../observe/observations.js';
import { count } from '../report/format.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import { isWithin, load, type Sending, sendingOf } from './cpu-use.js';

/** What bottlenecks are found from. */
export interface BottleneckSigns {
  busy: BusySpell[];
  /** The hosts that run daemons of the chain: no attackers. */
  daemons: { name: string; node: string }[];
  outcomes: Outcomes;
  dropped: ReadonlyMap<number, Verdict>;
  /** In closed loop a request is always waiting: it is the daemon's speed that makes the rate. */
  closedLoop: boolean;
  /** Each part has cores of its own already. */
  pinned: boolean;
}

/** A daemon that has work for this share of a second has a queue: what comes meanwhile waits for it. */
const BUSY = 0.9;
/** Requests are slow when the middle one takes this many times what the fastest tenth takes. */
const SLOW = 2;
/** Requests of a step below which a median says little. */
const FEW = 20;
/** Losses below this share are no sign. */
const LOST = 0.01;
/** Waiting for a core for this share of its time, a daemon lacks cores and not speed. */
const WAITED = 0.1;
/** The losses that a busy daemon causes by itself: it is too slow to accept, to answer, to come to what waits in it. */
const ITS_LOSSES = new Set<Cause>(['accept-queue-full', 'connection-limit', 'queue-timeout', 'response-timeout']);

/** A warning for each node of which a daemon was the bottleneck, its longest time of that. */
export function bottleneckWarnings({ pinned, ...signs }: BottleneckSigns): string[] {
  const { busy, daemons, outcomes, dropped, closedLoop } = signs;
  const sending = sendingOf(outcomes);
  if (sending === undefined) return [];
  const byHost = groupBy(
    busy.filter((spell) => load(spell) >= BUSY && isWithin(spell, sending)),
    ({ host }) => host,
  );
  if (byHost.size === 0) return [];
  const fastest = responses(outcomes, sending).map((times) => at(times, 0.1));
  const warnings: string[] = [];
  for (const [node, hosts] of groupBy(daemons, (host) => host.node)) {
    const stretches = hosts
      .flatMap(({ name }) => stretchesOf(byHost.get(name) ?? []))
      .flatMap((stretch) => {
        const hurt = hurtIn(stretch, { node, outcomes, dropped, fastest, closedLoop });
        return hurt === undefined ? [] : [{ ...stretch, hurt }];
      })
      .sort((a, b) => b.toNs - b.fromNs - (a.toNs - a.fromNs));
    if (stretches.length > 0) warnings.push(sentence(stretches[0], pinned));
  }
  return warnings;
}

interface Stretch extends Sending {
  spells: BusySpell[];
}

/** Spells that follow each other without a gap, as one. */
function stretchesOf(spells: BusySpell[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const spell of [...spells].sort((a, b) => a.fromNs - b.fromNs)) {
    const last = stretches.at(-1);
    if (last !== undefined && spell.fromNs <= last.toNs) {
      last.spells.push(spell);
      last.toNs = spell.toNs;
    } else stretches.push({ fromNs: spell.fromNs, toNs: spell.toNs, spells: [spell] });
  }
  return stretches;
}

/** What became of the requests that came due in that time, in words; undefined where they were as fast as any. */
function hurtIn(
  time: Sending,
  {
    node,
    outcomes,
    dropped,
    fastest,
    closedLoop,
  }: Omit<BottleneckSigns, 'busy' | 'daemons' | 'pinned'> & { node: string; fastest: number[] },
): string | undefined {
  let due = 0;
  let lost = 0;
  for (let row = 0; row < outcomes.rows; row++) {
    if (outcomes.state[row] === RequestState.notDue || !isDueIn(outcomes.dueNs[row], time)) continue;
    due++;
    const verdict = dropped.get(row);
    if (verdict !== undefined && verdict.at === node && ITS_LOSSES.has(verdict.cause)) lost++;
  }
  if (due > 0 && lost / due >= LOST) return `${count(lost)} of the ${count(due)} requests of that time were lost to it`;
  const slowest = responses(outcomes, time)
    .flatMap((times, step) => (times.length < FEW ? [] : [{ median: at(times, 0.5), fast: fastest[step] }]))
    .sort((a, b) => b.median / b.fast - a.median / a.fast)[0];
  if (slowest !== undefined && slowest.median >= SLOW * slowest.fast)
    return `the middle one of the requests of that time took ${ms(slowest.median)}, where the fastest tenth of the trial took ${ms(slowest.fast)} or less`;
  return closedLoop && due > 0 ? 'in closed loop its speed makes the rate' : undefined;
}

/** Response times in ns of the completed requests that came due in that time, by step, sorted. */
function responses({ dueNs, doneNs, state, steps, rows }: Outcomes, time: Sending): Float64Array[] {
  const times: number[][] = Array.from({ length: steps }, () => []);
  for (let row = 0; row < rows; row++)
    if (state[row] === RequestState.completed && isDueIn(dueNs[row], time))
      times[row % steps].push(doneNs[row] - dueNs[row]);
  return times.map((of) => Float64Array.from(of).sort());
}

function isDueIn(dueNs: number, { fromNs, toNs }: Sending): boolean {
  return dueNs >= fromNs && dueNs <= toNs;
}

/** By nearest rank. */
function at(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

function sentence({ fromNs, toNs, spells, hurt }: Stretch & { hurt: string }, pinned: boolean): string {
  const [{ host, program, of }] = spells;
  const mean = (pick: (spell: BusySpell) => number) =>
    spells.reduce((sum, spell) => sum + pick(spell), 0) / spells.length;
  const [ran, waited] = [mean((spell) => spell.ran), mean((spell) => spell.waited)];
  const from = `from ${seconds(fromNs)} to ${seconds(toNs)} s`;
  const who = of === 'thread' ? `a thread of ${program}` : `${program}, on all cores that it may use,`;
  const busy =
    waited >= WAITED
      ? `had work all the time, ran for ${percent(ran)} of it and waited for a core for ${percent(waited)}`
      : `was busy ${percent(ran + waited)} of the time`;
  const advice =
    waited >= WAITED
      ? `${pinned ? '' : 'give it a core of its own (`--pin`), '}use a machine with more cores, or lower the rate`
      : of === 'thread'
        ? 'give it more workers or hosts, or lower the rate'
        : 'use a machine with more cores, or lower the rate';
  return `${host} was the bottleneck ${from} by its own speed, not by a limit of the chain: ${who} ${busy}, and ${hurt}; ${advice}`;
}

function seconds(ns: number): string {
  return (ns / 1e9).toFixed(1);
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

function ms(ns: number): string {
  return `${Number((ns / 1e6).toPrecision(2))} ms`;
}
