/** What each part of a trial took of the processors, from the samples of its time series. */
import { groupBy } from '../collections.js';
import type { BusySpell, PortSample } from '../observe/observations.js';
import { GENERATOR } from '../observe/sampler.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import type { BusiestSecond, CpuShare, CpuUse, NodeCpu } from './run-record.js';

/** What the CPU use of a trial is made from. */
export interface CpuSeen {
  samples: PortSample[];
  busy: BusySpell[];
  /** The hosts that run daemons, with their nodes. */
  daemons: { name: string; node: string }[];
  /** Each part has cores of its own (`--pin`). */
  pinned: boolean;
}

/** The time of the requests, ns since the trial's start. */
export interface Sending {
  fromNs: number;
  toNs: number;
}

/** A peak is taken over so long at least: CPU time is counted in steps of 10 ms. */
const PEAK_OVER_NS = 1e9;

/** From the first planned request to the last one's end; undefined where none came due. */
export function sendingOf({ dueNs, doneNs, state, rows }: Outcomes): Sending | undefined {
  let fromNs = Number.POSITIVE_INFINITY;
  let toNs = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    if (state[row] === RequestState.notDue) continue;
    fromNs = Math.min(fromNs, dueNs[row]);
    if (doneNs[row] > toNs) toNs = doneNs[row];
  }
  return fromNs < toNs ? { fromNs, toNs } : undefined;
}

/** Shares over the sending; undefined where there are no two samples around it. */
export function cpuUse(
  { samples, busy, daemons }: Omit<CpuSeen, 'pinned'>,
  sending: Sending | undefined,
): CpuUse | undefined {
  const window = sending && around(samples, sending);
  if (window === undefined) return undefined;
  const share = (part: string) => shareOf(window, part);
  const nodes: Record<string, NodeCpu> = {};
  for (const [node, hosts] of groupBy(daemons, (host) => host.node)) {
    const busiest = busiestSecond(
      busy.filter(({ host }) => hosts.some(({ name }) => name === host)),
      sending!,
    );
    nodes[node] = { ...share(node), ...(busiest && { busiest }) };
  }
  const overNs = window.at(-1)!.timeNs - window[0].timeNs;
  return { overSeconds: rounded(overNs / 1e9), harness: share(GENERATOR), nodes };
}

/** Several trials as one: seconds are summed, peaks are the highest. */
export function mergeCpuUse(parts: CpuUse[]): CpuUse | undefined {
  // One alone is said as it is: what is rounded already must not be rounded again.
  if (parts.length <= 1) return parts[0];
  const overSeconds = parts.reduce((sum, part) => sum + part.overSeconds, 0);
  const merge = (shares: CpuShare[]): CpuShare => {
    const cpuSeconds = shares.reduce((sum, part) => sum + part.cpuSeconds, 0);
    const peakCores = Math.max(...shares.map((part) => part.peakCores));
    return { cpuSeconds: rounded(cpuSeconds), cores: rounded(cpuSeconds / overSeconds), peakCores };
  };
  const byNode = groupBy(
    parts.flatMap(({ nodes }) => Object.entries(nodes)),
    ([node]) => node,
  );
  const nodes = [...byNode].map(([node, entries]) => {
    const shares = entries.map(([, share]) => share);
    const [busiest] = shares.flatMap((share) => share.busiest ?? []).sort((a, b) => load(b) - load(a));
    return [node, { ...merge(shares), ...(busiest && { busiest }) }] as const;
  });
  return {
    overSeconds: rounded(overSeconds),
    harness: merge(parts.map(({ harness }) => harness)),
    nodes: Object.fromEntries(nodes),
  };
}

/** The samples from the last one before the sending to the first one after it; undefined where that is less than two. */
function around(samples: PortSample[], { fromNs, toNs }: Sending): PortSample[] | undefined {
  const first = Math.max(
    0,
    samples.findLastIndex(({ timeNs }) => timeNs <= fromNs),
  );
  const after = samples.findIndex(({ timeNs }) => timeNs >= toNs);
  const window = samples.slice(first, after === -1 ? samples.length : after + 1);
  return window.length < 2 || window.at(-1)!.timeNs <= window[0].timeNs ? undefined : window;
}

function shareOf(window: PortSample[], part: string): CpuShare {
  const used = (from: PortSample, to: PortSample) => (to.cpu[part] ?? 0) - (from.cpu[part] ?? 0);
  const cores = (from: PortSample, to: PortSample) => used(from, to) / ((to.timeNs - from.timeNs) / 1e9);
  const [first, last] = [window[0], window.at(-1)!];
  let peak = cores(first, last);
  let from = 0;
  for (const to of window) {
    // The shortest time that ends here and is long enough.
    while (to.timeNs - window[from + 1]?.timeNs >= PEAK_OVER_NS) from++;
    if (to.timeNs - window[from].timeNs >= PEAK_OVER_NS) peak = Math.max(peak, cores(window[from], to));
  }
  return { cpuSeconds: rounded(used(first, last)), cores: rounded(cores(first, last)), peakCores: rounded(peak) };
}

function busiestSecond(spells: BusySpell[], sending: Sending): BusiestSecond | undefined {
  const [most] = spells.filter((spell) => isWithin(spell, sending)).sort((a, b) => load(b) - load(a));
  if (most === undefined) return undefined;
  const { host, program, of, ran, waited, fromNs } = most;
  return { host, program, of, ran: rounded(ran), waited: rounded(waited), fromMs: rounded(fromNs / 1e6) };
}

/** True of a spell in which nothing but the sending went on. */
export function isWithin({ fromNs, toNs }: Sending, sending: Sending): boolean {
  return fromNs >= sending.fromNs && toNs <= sending.toNs;
}

/** For how much of the time there was work to do. */
export function load({ ran, waited }: { ran: number; waited: number }): number {
  return ran + waited;
}

function rounded(value: number): number {
  return Number(value.toFixed(3));
}
