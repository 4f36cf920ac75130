/** Watches a running testbed for one trial: taps, connection tables, counters and samples, all from this process. */
import { readFileSync } from 'node:fs';
import { inNamespace } from '../sys/namespace.js';
import type { Host, Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { RunClock } from './clock.js';
import { type ConntrackWatch, watchConntrack } from './conntrack-events.js';
import { type Counters, counterDeltas, readConntrackFill, readCounters } from './counters.js';
import { readRefusedSyns } from './firewall-sets.js';
import { forwardSetRules, readForwardSet } from './forward-set.js';
import type { Observations } from './observations.js';
import { parseLocalRange, poolOf } from './pools.js';
import { makeSampler } from './sampler.js';
import { openSocketCounter, type SocketCounter } from './sock-diag.js';
import { DEFAULT_FRAMES, openTap, type Tap } from './syn-tap.js';

export interface ObserveOptions {
  clock: RunClock;
  /** Filled by the engine meanwhile; its states become the samples' `due`, `completed`, `dropped`. */
  outcomes: Outcomes;
  /** Process ids of the daemons by node, for their CPU time; children of these are found and counted once. */
  processes: Record<string, number[]>;
  /** True when the gateways' own rules already include `forwardSetRules()`. */
  forwardRulesInstalled?: boolean;
}

/** What the observers of one trial saw. */
export type Seen = Pick<
  Observations,
  'taps' | 'conntrack' | 'counters' | 'forwarded' | 'refusedSyns' | 'pools' | 'samples'
>;

export interface Observer {
  /** Ends all watching, and gives everything up to now. Idempotent. */
  stop(): Promise<Seen>;
}

const DRAIN_EVERY_MS = 20;
const SAMPLE_EVERY_MS = 100;
/** Sampling may take a tenth of the time: with very many sockets it becomes rarer instead of taking more. */
const SAMPLE_SHARE = 0.1;
/** Frames over all taps, 128 MB. */
const ALL_FRAMES = 1 << 20;

/** What is open on one host that this process can enter. */
interface WatchedHost {
  host: Host;
  planned: PlannedHost;
  tap: Tap;
  conntrack: ConntrackWatch | undefined;
  sockets: SocketCounter | undefined;
  before: Counters;
  /** Entries in the host's connection table: the highest sample. */
  peakEntries: number;
}

/** Starts to watch; every tap is open when it resolves. Hosts whose namespace cannot be entered are left out. */
export async function startObserving(testbed: Testbed, options: ObserveOptions): Promise<Observer> {
  const { clock, outcomes, processes } = options;
  const reachable = testbed.plan.hosts.filter((planned) => testbed.hosts.get(planned.name)!.netns !== null);
  const frames = Math.min(DEFAULT_FRAMES, Math.floor(ALL_FRAMES / Math.max(1, reachable.length)));
  const pools = new Map(
    reachable.map((planned) => {
      const range = localRange(testbed.hosts.get(planned.name)!);
      return [planned.name, poolOf(planned, testbed.plan, range)];
    }),
  );
  const watched = await Promise.all(
    reachable.map(async (planned): Promise<WatchedHost> => {
      const host = testbed.hosts.get(planned.name)!;
      const forwards = planned.layer === 'L3';
      if (forwards && !options.forwardRulesInstalled) await host.run(['nft', '-f', '-'], { input: forwardSetRules() });
      const pool = pools.get(planned.name);
      return {
        host,
        planned,
        tap: await openTap(host, clock, frames),
        conntrack: forwards ? watchConntrack(host, clock) : undefined,
        sockets: forwards
          ? undefined
          : openSocketCounter(host.netns, pool?.countedBy === 'sockets' ? pool.watched : undefined),
        before: readCounters(host.netns),
        peakEntries: 0,
      };
    }),
  );
  const sampler = makeSampler(
    watched.map(({ planned, conntrack, sockets }) => ({
      node: planned.node,
      pool: pools.get(planned.name),
      conntrack,
      sockets,
    })),
    clock,
    outcomes,
    processes,
  );

  // Neither timer keeps the process alive: an engine that fails must not leave it hanging.
  const drainTimer = setInterval(() => drainAll(watched), DRAIN_EVERY_MS).unref();
  let sampleTimer = setTimeout(sampleAgain, SAMPLE_EVERY_MS).unref();
  function sample(): void {
    sampler.take();
    for (const each of watched)
      if (each.conntrack !== undefined)
        each.peakEntries = Math.max(each.peakEntries, readConntrackFill(each.host.netns)?.count ?? 0);
  }
  function sampleAgain(): void {
    const began = performance.now();
    sample();
    const tookMs = performance.now() - began;
    sampleTimer = setTimeout(sampleAgain, Math.max(SAMPLE_EVERY_MS - tookMs, tookMs / SAMPLE_SHARE)).unref();
  }

  async function end(): Promise<Seen> {
    clearInterval(drainTimer);
    clearTimeout(sampleTimer);
    drainAll(watched);
    sample();
    const [forwarded, refusedSyns] = await Promise.all([readForwardSets(watched), readRefusals(watched, testbed.plan)]);
    const seen: Seen = {
      taps: {},
      conntrack: {},
      counters: {},
      forwarded,
      refusedSyns,
      pools: sampler.peaks(),
      samples: sampler.samples,
    };
    for (const { host, tap, conntrack, sockets, before, peakEntries } of watched) {
      const counters = counterDeltas(before, readCounters(host.netns));
      seen.taps[host.name] = tap.close();
      if (conntrack !== undefined) {
        seen.conntrack[host.name] = conntrack.close();
        // No differences, but what `conntrack.drop` is cross-checked with: was the table full?
        counters['conntrack.peakEntries'] = peakEntries;
        counters['conntrack.maxEntries'] = readConntrackFill(host.netns)?.max ?? 0;
      }
      seen.counters[host.name] = counters;
      sockets?.close();
    }
    return seen;
  }

  let ended: Promise<Seen> | undefined;
  return {
    stop() {
      ended ??= end();
      return ended;
    },
  };
}

function drainAll(watched: WatchedHost[]): void {
  for (const { tap, conntrack } of watched) {
    tap.drain();
    conntrack?.drain();
  }
}

async function readForwardSets(watched: WatchedHost[]): Promise<Observations['forwarded']> {
  const gateways = watched.filter(({ planned }) => planned.layer === 'L3');
  return Object.fromEntries(
    await Promise.all(gateways.map(async ({ host }) => [host.name, await readForwardSet(host)] as const)),
  );
}

async function readRefusals(watched: WatchedHost[], plan: Plan): Promise<Observations['refusedSyns']> {
  const read = watched.map(
    async ({ host, planned }) => [host.name, await readRefusedSyns(host, planned, plan)] as const,
  );
  return Object.fromEntries((await Promise.all(read)).flatMap(([name, syns]) => (syns ? [[name, syns]] : [])));
}

function localRange(host: Host) {
  return parseLocalRange(inNamespace(host.netns, () => readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8')));
}
