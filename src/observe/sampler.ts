/** The time series of one trial: ports in use, socket states, requests and CPU at one moment, and the peaks of the pools. */
import type { Outcomes } from '../traffic/outcomes.js';
import { nowSinceStart, type RunClock } from './clock.js';
import type { ConntrackWatch } from './conntrack-events.js';
import { cpuSeconds } from './cpu.js';
import type { PoolPeak, PortSample } from './observations.js';
import type { Pool } from './pools.js';
import { progressCounter } from './progress.js';
import type { SocketCounter } from './sock-diag.js';

/** What is sampled on one host. */
export interface SampledHost {
  node: string;
  pool: Pool | undefined;
  /** A gateway's table. */
  conntrack: ConntrackWatch | undefined;
  /** The sockets of a host that terminates connections. */
  sockets: SocketCounter | undefined;
}

/** Takes samples and remembers peaks. */
export interface Sampler {
  samples: PortSample[];
  take(): void;
  /** By node: the peak of its busiest host. A gateway's is exact, the others' the highest sample. */
  peaks(): Record<string, PoolPeak>;
}

/** Name of the harness itself among the nodes in `PortSample.cpu`. */
export const GENERATOR = 'generator';

/** Walking a gateway's table for its states may take this share of the time, so it happens about once or twice a second. */
const WALK_SHARE = 0.02;

/** `processes` are the daemons by node. */
export function makeSampler(
  hosts: SampledHost[],
  clock: RunClock,
  outcomes: Outcomes,
  processes: Record<string, Iterable<number>>,
): Sampler {
  const progress = progressCounter(outcomes);
  const samples: PortSample[] = [];
  const pools: Record<string, PoolPeak> = {};
  for (const { node, pool } of hosts)
    if (pool !== undefined) pools[node] = { capacity: pool.capacity, peak: 0, peakShare: 0 };
  const cpuAtStart = cpuNow(processes);

  function raisePeak(node: string, value: number): void {
    const pool = pools[node];
    if (pool === undefined || value <= pool.peak) return;
    pool.peak = value;
    pool.peakShare = value / pool.capacity;
  }

  function take(): void {
    const sample: PortSample = {
      timeNs: nowSinceStart(clock),
      inUse: {},
      timeWait: {},
      states: {},
      cpu: cpuSince(cpuAtStart, cpuNow(processes)),
      ...progress(),
    };
    for (const host of hosts) {
      const { inUse, timeWait, peak, states } = countHost(host, sample.timeNs);
      for (const [state, count] of Object.entries(states ?? {})) {
        sample.states[host.node] ??= {};
        sample.states[host.node][state] = (sample.states[host.node][state] ?? 0) + count;
      }
      if (host.pool === undefined || inUse === undefined) continue;
      raisePeak(host.node, peak ?? inUse);
      if (inUse < (sample.inUse[host.node] ?? 0)) continue;
      sample.inUse[host.node] = inUse;
      if (timeWait !== undefined) sample.timeWait[host.node] = timeWait;
    }
    samples.push(sample);
  }

  return { samples, take, peaks: () => pools };
}

interface HostCount {
  inUse?: number;
  timeWait?: number;
  /** The highest that `inUse` ever was, where that is known. */
  peak?: number;
  states?: Record<string, number>;
}

/** When each gateway's table may be walked again, ns since the run's start. */
const nextWalk = new WeakMap<ConntrackWatch, number>();

function countHost({ conntrack, sockets }: SampledHost, nowNs: number): HostCount {
  if (sockets !== undefined) return sockets.count();
  if (conntrack === undefined) return {};
  conntrack.drain();
  const count: HostCount = { ...conntrack.ports.now(), peak: conntrack.ports.peak() };
  if (nowNs >= (nextWalk.get(conntrack) ?? Number.NEGATIVE_INFINITY)) {
    const before = process.hrtime.bigint();
    count.states = conntrack.countStates();
    nextWalk.set(conntrack, nowNs + Number(process.hrtime.bigint() - before) / WALK_SHARE);
  }
  return count;
}

function cpuNow(processes: Record<string, Iterable<number>>): Record<string, number> {
  const { user, system } = process.cpuUsage();
  const cpu: Record<string, number> = { [GENERATOR]: (user + system) / 1e6 };
  for (const [node, pids] of Object.entries(processes)) cpu[node] = cpuSeconds(pids);
  return cpu;
}

function cpuSince(before: Record<string, number>, now: Record<string, number>): Record<string, number> {
  return Object.fromEntries(Object.entries(now).map(([node, seconds]) => [node, seconds - before[node]]));
}
