/** The time series of one trial: ports in use, socket states, requests and CPU at one moment, and the peaks of the pools. */
import type { Outcomes } from '../traffic/outcomes.js';
import { nowSinceStart, type RunClock } from './clock.js';
import { cpuSeconds } from './cpu.js';
import type { HostWatch } from './host-watch.js';
import type { BusySpell, PoolPeak, PortSample } from './observations.js';
import type { Pool } from './pools.js';
import { progressCounter } from './progress.js';

/** A host of the series: its node, its pool where it has one, and the watch that counts. */
export interface SampledHost {
  name: string;
  node: string;
  pool: Pool | undefined;
  watch: HostWatch;
}

/** Takes samples and remembers peaks. */
export interface Sampler {
  samples: PortSample[];
  /** How busy each host's daemons were, about once a second. */
  busy: BusySpell[];
  /**
   * Takes one; hosts that this process watches itself are counted before it returns.
   * Resolves with how long it kept the busiest process busy, ms.
   */
  take(): Promise<number>;
  /** By node: the peak of its busiest host. A gateway's is exact, the others' the highest sample. */
  peaks(): Record<string, PoolPeak>;
}

/** Name of this program itself among the nodes in `PortSample.cpu`. */
export const GENERATOR = 'generator';

/** What is sent meanwhile. */
export interface SampledTraffic {
  clock: RunClock;
  outcomes: Outcomes;
  /** Processes that send beside this one. */
  senders?: readonly number[];
}

/** Begins a series that has no sample yet; the generator's CPU counts from here. */
export function makeSampler(hosts: SampledHost[], { clock, outcomes, senders = [] }: SampledTraffic): Sampler {
  const progress = progressCounter(outcomes);
  const samples: PortSample[] = [];
  const busySpells: BusySpell[] = [];
  const pools: Record<string, PoolPeak> = {};
  for (const { node, pool } of hosts)
    if (pool !== undefined) pools[node] = { capacity: pool.capacity, peak: 0, peakShare: 0 };
  const ownCpuAtStart = process.cpuUsage();
  const sendersCpuAtStart = cpuSeconds(senders);

  function raisePeak(node: string, value: number): void {
    const pool = pools[node];
    if (pool === undefined || value <= pool.peak) return;
    pool.peak = value;
    pool.peakShare = value / pool.capacity;
  }

  async function take(): Promise<number> {
    const began = performance.now();
    const counting = hosts.map(({ watch }) => watch.sample());
    const busyMs = performance.now() - began;
    const counts = await Promise.all(counting);
    const { user, system } = process.cpuUsage(ownCpuAtStart);
    const sample: PortSample = {
      timeNs: counts.length === 0 ? nowSinceStart(clock) : Math.min(...counts.map(({ timeNs }) => timeNs)),
      inUse: {},
      timeWait: {},
      states: {},
      cpu: { [GENERATOR]: (user + system) / 1e6 + cpuSeconds(senders) - sendersCpuAtStart },
      // Counted last: agents tell of outcomes before they answer.
      ...progress(),
    };
    hosts.forEach(({ name, node, pool }, index) => {
      const { inUse, timeWait, peak, states, agentCpuSeconds, busy } = counts[index];
      if (busy !== undefined) busySpells.push({ host: name, ...busy });
      sample.cpu[node] = (sample.cpu[node] ?? 0) + counts[index].cpuSeconds;
      sample.cpu[GENERATOR] += agentCpuSeconds;
      for (const [state, count] of Object.entries(states ?? {})) {
        sample.states[node] ??= {};
        sample.states[node][state] = (sample.states[node][state] ?? 0) + count;
      }
      if (pool === undefined || inUse === undefined) return;
      raisePeak(node, peak ?? inUse);
      if (inUse < (sample.inUse[node] ?? 0)) return;
      sample.inUse[node] = inUse;
      if (timeWait !== undefined) sample.timeWait[node] = timeWait;
    });
    samples.push(sample);
    return Math.max(busyMs, ...counts.map(({ tookMs }) => tookMs));
  }

  return { samples, busy: busySpells, take, peaks: () => pools };
}
