/** Watches a running testbed for one trial: a watch on every host, from this process or by the host's agent, brought together. */
import { parseLocalPortRange } from '../sys/local-port-range.js';
import type { Host, Testbed } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { RunClock } from './clock.js';
import { readRefusedSyns } from './firewall-sets.js';
import type { HostSeen, HostWatch, WatchOrder } from './host-watch.js';
import type { Observations } from './observations.js';
import { type Pool, poolOf } from './pools.js';
import { makeSampler } from './sampler.js';
import { DEFAULT_FRAMES } from './syn-tap.js';
import { watchHost } from './watch-host.js';

/** What the watch needs beside the testbed. */
export interface ObserveOptions {
  clock: RunClock;
  /** Filled by the engine meanwhile; its states become the samples' `due`, `completed`, `dropped`. */
  outcomes: Outcomes;
  /** Process ids of the daemons by host, for their CPU time; an agent counts all processes of its host instead. */
  processes: Record<string, number[]>;
  /** Processes that send beside this one; their CPU time is the generator's. */
  senders?: readonly number[];
  /** True when the gateways' own rules already include `forwardSetRules()`. */
  forwardRulesInstalled?: boolean;
}

/** What the observers of one trial saw. */
export type Seen = Pick<
  Observations,
  'taps' | 'conntrack' | 'counters' | 'forwarded' | 'refusedSyns' | 'pools' | 'samples' | 'busy'
>;

/** A watch on all hosts that is under way. */
export interface Observer {
  /** What the samples say up to now; they go on while it is looked at. */
  soFar(): Pick<Seen, 'samples' | 'pools'>;
  /** Ends all watching, and gives everything up to now. Idempotent. Throws when a host's agent is gone. */
  stop(): Promise<Seen>;
}

const SAMPLE_EVERY_MS = 100;
/** Sampling may take a tenth of the time: with very many sockets it becomes rarer instead of taking more. */
const SAMPLE_SHARE = 0.1;
/** Frames over all taps, 128 MB. */
const ALL_FRAMES = 1 << 20;

interface WatchedHost {
  host: Host;
  planned: PlannedHost;
  name: string;
  node: string;
  pool: Pool | undefined;
  watch: HostWatch;
}

/**
 * Starts to watch; every tap is open when it resolves. Hosts that this process cannot enter and that have no agent are left out.
 * Throws a PortPartyError (exit 3) where a host cannot be watched; nothing stays open then.
 */
export async function startObserving(testbed: Testbed, options: ObserveOptions): Promise<Observer> {
  const reachable = testbed.plan.hosts.flatMap((planned) => {
    const host = testbed.hosts.get(planned.name)!;
    return host.netns !== null || host.agent !== undefined ? [{ planned, host }] : [];
  });
  const frames = Math.min(DEFAULT_FRAMES, Math.floor(ALL_FRAMES / Math.max(1, reachable.length)));
  const opening = await Promise.allSettled(
    reachable.map(({ planned, host }) => startWatch(testbed, planned, host, options, frames)),
  );
  const watched = opening.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const failed = opening.find((one) => one.status === 'rejected');
  if (failed !== undefined) {
    await stopAll(watched);
    throw failed.reason;
  }
  const sampler = makeSampler(watched, options);

  // The timer does not keep the process alive: an engine that fails must not leave it hanging.
  let timer = setTimeout(sampleAgain, SAMPLE_EVERY_MS).unref();
  let sampling: Promise<void> | undefined;
  function sampleAgain(): void {
    const began = performance.now();
    sampling = sampler.take().then(
      (busyMs) => {
        const passedMs = performance.now() - began;
        timer = setTimeout(sampleAgain, Math.max(SAMPLE_EVERY_MS - passedMs, busyMs / SAMPLE_SHARE)).unref();
      },
      // An agent is gone: its host's watch says so when it is stopped.
      () => {},
    );
  }

  async function end(): Promise<Seen> {
    try {
      await sampling;
      clearTimeout(timer);
      await sampler.take();
    } catch (error) {
      await stopAll(watched);
      throw error;
    }
    const seen = await Promise.all(watched.map(({ watch }) => watch.stop()));
    // Read behind the taps: what is in a tap and was refused is in a set by then.
    const refusedSyns = await readRefusals(watched, testbed.plan);
    const byHost = <Value>(of: (seen: HostSeen) => Value | undefined) =>
      Object.fromEntries(
        watched.flatMap(({ name }, index) => {
          const value = of(seen[index]);
          return value === undefined ? [] : [[name, value] as const];
        }),
      );
    return {
      taps: byHost(({ tap }) => tap),
      conntrack: byHost(({ conntrack }) => conntrack),
      counters: byHost(({ counters }) => counters),
      forwarded: byHost(({ forwarded }) => forwarded),
      refusedSyns,
      pools: sampler.peaks(),
      samples: sampler.samples,
      busy: sampler.busy,
    };
  }

  let ended: Promise<Seen> | undefined;
  return {
    soFar: () => ({ samples: sampler.samples, pools: sampler.peaks() }),
    stop() {
      ended ??= end();
      return ended;
    },
  };
}

async function startWatch(
  testbed: Testbed,
  planned: PlannedHost,
  host: Host,
  options: ObserveOptions,
  frames: number,
): Promise<WatchedHost> {
  const { name, node } = host;
  const range = parseLocalPortRange(await host.sysctl('net.ipv4.ip_local_port_range'));
  const pool = poolOf(planned, testbed.plan, range);
  const order: WatchOrder = {
    host: name,
    clock: options.clock,
    forwards: planned.layer === 'L3',
    tracksConnections: planned.layer === 'L3',
    forwardRulesInstalled: options.forwardRulesInstalled === true,
    watchedPorts: pool?.countedBy === 'sockets' ? pool.watched : undefined,
    frames,
    processes: options.processes[name] ?? [],
  };
  const watch =
    host.netns === null
      ? await host.agent!.watch(order)
      : await watchHost(order, host.netns, (...run) => host.run(...run));
  return { host, planned, name, node, pool, watch };
}

/** Ends what can be ended: the taps' descriptors would keep the hosts' namespaces alive. */
async function stopAll(watched: WatchedHost[]): Promise<void> {
  await Promise.allSettled(watched.map(({ watch }) => watch.stop()));
}

async function readRefusals(watched: WatchedHost[], plan: Plan): Promise<Observations['refusedSyns']> {
  const read = watched.map(
    async ({ host, planned }) => [host.name, await readRefusedSyns(host, planned, plan)] as const,
  );
  return Object.fromEntries((await Promise.all(read)).flatMap(([name, syns]) => (syns ? [[name, syns]] : [])));
}
