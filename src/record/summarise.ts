/** One trial's outcomes and verdicts as the numbers of `run.json`. */
import type { AttackReport } from '../attacks/report.js';
import { aftershocksOf } from '../ledger/aftershocks.js';
import type { Verdict } from '../ledger/causes.js';
import type { ProxyTries } from '../ledger/proxy-tries.js';
import type { CounterDeltas, PoolPeak } from '../observe/observations.js';
import type { GeneratorReport } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { bottleneckWarnings } from './bottlenecks.js';
import { countCauses, countDelays } from './cause-counts.js';
import { completedPerSecond, countRequests, countVisitors } from './count-outcomes.js';
import { type CpuSeen, cpuUse, sendingOf } from './cpu-use.js';
import { type LatencyHistograms, summariseLatency } from './latency.js';
import { aftershocks, attackersOf, proxies, warningsOf } from './merge-trials.js';
import type { Measured } from './run-record.js';
import { type Expectations, validityOf } from './validity.js';

/** All that one trial's summary is made from. */
export interface TrialInput extends Expectations {
  outcomes: Outcomes;
  /** From `latencyHistograms(outcomes)`. */
  latency: LatencyHistograms;
  /** Row to cause of every dropped request. */
  dropped: ReadonlyMap<number, Verdict>;
  /** Row to cause of every request that completed late, after a retransmitted SYN. */
  delayed: ReadonlyMap<number, Verdict>;
  pools: Record<string, PoolPeak>;
  /** Kernel counters over the trial, by host name. */
  counters: Record<string, CounterDeltas>;
  generator: GeneratorReport;
  /** By node: how often it tried its backends. */
  proxies?: Record<string, ProxyTries>;
  /** Where tickets are sold. */
  tickets?: { stock: number; sold: number };
  /** What each attacker did, by node. */
  attackers?: Record<string, AttackReport>;
  /** Its samples, and the hosts that run daemons. */
  cpu?: CpuSeen;
  /** What was said before it started. */
  warnings?: string[];
  /** Request ids are `<idPrefix>.<visitor>.<step>`. */
  idPrefix: string;
}

/** The summary of one trial. A trial whose numbers must not be trusted says so in `validity`. */
export function summariseTrial(input: TrialInput): Measured {
  const { outcomes } = input;
  const counts = countRequests(outcomes);
  const nameOf = (row: number) => `${input.idPrefix}.${Math.floor(row / outcomes.steps)}.${row % outcomes.steps}`;
  const cpu = input.cpu && cpuUse(input.cpu, sendingOf(outcomes));
  const measured: Omit<Measured, 'validity'> = {
    requests: {
      ...counts,
      byCause: countCauses(input.dropped, { outcomes, counters: input.counters, nameOf }),
      delayed: countDelays(input.delayed, outcomes),
    },
    ...aftershocks(aftershocksOf(input.dropped, outcomes)),
    ...proxies([input.proxies ?? {}]),
    visitors: countVisitors(outcomes),
    ...(input.tickets === undefined ? {} : { tickets: input.tickets }),
    ...attackersOf([input.attackers ?? {}]),
    latency: {
      connect: summariseLatency(input.latency.connect),
      response: summariseLatency(input.latency.response),
    },
    throughput: { completedPerSecond: completedPerSecond(outcomes, counts.completed) },
    ports: input.pools,
    generator: input.generator,
    ...(cpu && { cpu }),
    ...warningsOf([...(input.warnings ?? []), ...bottlenecks(input)]),
  };
  return { ...measured, validity: validityOf(outcomes, measured, input) };
}

/** Attackers are busy by design. */
function bottlenecks({ cpu, attackers = {}, outcomes, dropped, plannedVisitors }: TrialInput): string[] {
  if (cpu === undefined) return [];
  const daemons = cpu.daemons.filter(({ node }) => !Object.hasOwn(attackers, node));
  return bottleneckWarnings({
    busy: cpu.busy,
    daemons,
    outcomes,
    dropped,
    closedLoop: plannedVisitors === undefined,
    pinned: cpu.pinned,
  });
}
