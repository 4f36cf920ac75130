/** Watches one host from this process: tap, connection table, sockets, counters and CPU time of its namespace. */
import type { CommandResult } from '../testbed/host.js';
import { busyReader } from './busy-threads.js';
import { nowSinceStart } from './clock.js';
import { type ConntrackWatch, watchConntrack } from './conntrack-events.js';
import { counterDeltas, readConntrackFill, readCounters } from './counters.js';
import { cpuSeconds, otherProcesses } from './cpu.js';
import { forwardSetRules, readForwardSet } from './forward-set.js';
import type { HostSample, HostSeen, HostWatch, WatchOrder } from './host-watch.js';
import { openSocketCounter } from './sock-diag.js';
import { openTap } from './syn-tap.js';

/** How often what has come is taken over: a large ring holds many hundred milliseconds of any traffic, the connection table's messages need more room. */
const DRAIN_EVERY_MS = 20;
const DRAIN_LARGE_RING_EVERY_MS = 100;
const LARGE_RING_FRAMES = 16_384;
/** Walking a gateway's table for its states may take this share of the time, so it happens about once or twice a second. */
const WALK_SHARE = 0.02;

/** How commands are run on the host. Throws when one fails. */
export type RunCommand = (argv: string[], options?: { input?: string }) => Promise<CommandResult>;

/**
 * Starts to watch the host whose network namespace is at `netns` (null: this process's own); the tap is open when it resolves.
 * `run` runs commands on the host. Throws a PortPartyError (exit 3) where the kernel does not let it.
 */
export async function watchHost(order: WatchOrder, netns: string | null, run: RunCommand): Promise<HostWatch> {
  const { host, clock, forwards } = order;
  if (forwards && !order.forwardRulesInstalled) await run(['nft', '-f', '-'], { input: forwardSetRules() });
  const tap = await openTap({ name: host, netns }, clock, order.frames);
  const conntrack = order.tracksConnections ? watchConntrack({ name: host, netns }, clock) : undefined;
  const sockets = forwards ? undefined : openSocketCounter(netns, order.watchedPorts);
  const before = readCounters(netns);
  const processes = () => (order.processes === 'others' ? otherProcesses() : order.processes);
  const cpuNow = () => cpuSeconds(processes());
  const readBusy = busyReader(processes);
  const cpuBefore = cpuNow();
  const states = conntrack && occasionalStates(conntrack);
  let peakEntries = 0;

  const drain = () => {
    tap.drain();
    conntrack?.drain();
  };
  const seldom = conntrack === undefined && tap.frames >= LARGE_RING_FRAMES;
  // It does not keep the process alive: an engine that fails must not leave it hanging.
  const timer = setInterval(drain, seldom ? DRAIN_LARGE_RING_EVERY_MS : DRAIN_EVERY_MS).unref();

  function countPorts(timeNs: number): Pick<HostSample, 'inUse' | 'timeWait' | 'peak' | 'states'> {
    if (sockets !== undefined) return sockets.count();
    if (conntrack === undefined) return {};
    conntrack.drain();
    peakEntries = Math.max(peakEntries, readConntrackFill(netns)?.count ?? 0);
    return { ...conntrack.ports.now(), peak: conntrack.ports.peak(), states: states!(timeNs) };
  }

  async function end(): Promise<HostSeen> {
    clearInterval(timer);
    const counters = counterDeltas(before, readCounters(netns));
    const table = tap.close();
    if (conntrack !== undefined) {
      // No differences, but what `conntrack.drop` is cross-checked with: was the table full?
      counters['conntrack.peakEntries'] = peakEntries;
      counters['conntrack.maxEntries'] = readConntrackFill(netns)?.max ?? 0;
    }
    const log = conntrack?.close();
    sockets?.close();
    // After the tap: a SYN in the tap and not in the set has been refused by a rule or a full table.
    const forwarded = forwards ? await readForwardSet({ run }) : undefined;
    return { tap: table, conntrack: log, counters, forwarded };
  }

  let ended: Promise<HostSeen> | undefined;
  return {
    sample() {
      const began = performance.now();
      const timeNs = nowSinceStart(clock);
      const count = { ...countPorts(timeNs), cpuSeconds: cpuNow() - cpuBefore, agentCpuSeconds: 0 };
      const busy = readBusy(timeNs);
      return { timeNs, ...count, ...(busy && { busy }), tookMs: performance.now() - began };
    },
    stop() {
      ended ??= end();
      return ended;
    },
  };
}

/** Entries by state whenever the walk is due again, else undefined. */
function occasionalStates(conntrack: ConntrackWatch): (timeNs: number) => Record<string, number> | undefined {
  let nextNs = Number.NEGATIVE_INFINITY;
  return (timeNs) => {
    if (timeNs < nextNs) return undefined;
    const before = process.hrtime.bigint();
    const states = conntrack.countStates();
    nextNs = timeNs + Number(process.hrtime.bigint() - before) / WALK_SHARE;
    return states;
  };
}
