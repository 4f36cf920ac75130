/** Several trials of one variant as one. */
import { type AttackReport, mergeReports } from '../attacks/report.js';
import { groupBy } from '../collections.js';
import type { Aftershock } from '../ledger/aftershocks.js';
import type { ProxyTries } from '../ledger/proxy-tries.js';
import type { PoolPeak } from '../observe/observations.js';
import type { GeneratorReport } from '../traffic/engine.js';
import { mergeCauses, mergeDelays } from './cause-counts.js';
import { mergeCpuUse } from './cpu-use.js';
import { type LatencyHistograms, mergeHistograms, summariseLatency } from './latency.js';
import type { Measured, TrialRecord } from './run-record.js';

/**
 * Several trials of one variant as one: counts are summed, percentiles come from the merged histograms, ports keep the highest peak,
 * the generator its worst lateness, throughput is the mean. Without any trial the result is invalid.
 */
export function mergeTrials(trials: TrialRecord[], latencies: LatencyHistograms[]): Measured {
  const sum = (pick: (trial: TrialRecord) => number) => trials.reduce((total, trial) => total + pick(trial), 0);
  const latency = mergeHistograms(latencies);
  const tickets = trials.flatMap((trial) => trial.tickets ?? []);
  const reasons = trials.flatMap((trial) =>
    trial.validity.reasons.map((reason) => (trials.length === 1 ? reason : `trial ${trial.trial}: ${reason}`)),
  );
  const cpu = mergeCpuUse(trials.flatMap((trial) => trial.cpu ?? []));
  if (trials.length === 0) reasons.push('no trial ran to its end, so nothing was measured');
  return {
    requests: {
      due: sum((trial) => trial.requests.due),
      completed: sum((trial) => trial.requests.completed),
      dropped: sum((trial) => trial.requests.dropped),
      attempts: sum((trial) => trial.requests.attempts),
      byCause: mergeCauses(trials.map((trial) => trial.requests.byCause)),
      delayed: mergeDelays(trials.map((trial) => trial.requests.delayed)),
    },
    ...aftershocks(
      trials.flatMap(({ trial, aftershocks = [] }) =>
        trials.length === 1 ? aftershocks : aftershocks.map((one) => ({ ...one, trial })),
      ),
    ),
    ...proxies(trials.map((trial) => trial.proxies ?? {})),
    visitors: {
      arrived: sum((trial) => trial.visitors.arrived),
      served: sum((trial) => trial.visitors.served),
      soldOut: sum((trial) => trial.visitors.soldOut),
      turnedAway: sum((trial) => trial.visitors.turnedAway),
    },
    ...(tickets.length === 0
      ? {}
      : {
          tickets: {
            stock: tickets.reduce((total, { stock }) => total + stock, 0),
            sold: tickets.reduce((total, { sold }) => total + sold, 0),
          },
        }),
    ...attackersOf(trials.map((trial) => trial.attackers ?? {})),
    latency: { connect: summariseLatency(latency.connect), response: summariseLatency(latency.response) },
    throughput: {
      completedPerSecond: trials.length === 0 ? 0 : sum((trial) => trial.throughput.completedPerSecond) / trials.length,
    },
    ports: mergePools(trials.map((trial) => trial.ports)),
    generator: mergeGenerators(trials.map((trial) => trial.generator)),
    ...(cpu && { cpu }),
    ...warningsOf(trials.flatMap(warningsWithTrial)),
    validity: { valid: reasons.length === 0 && trials.every((trial) => trial.validity.valid), reasons },
  };
}

/** Warnings, as a field that is absent where there is none. */
export function warningsOf(all: string[]): Pick<Measured, 'warnings'> {
  return all.length === 0 ? {} : { warnings: [...new Set(all)] };
}

/** What is said of every trial is said once. */
function warningsWithTrial({ trial, warnings = [] }: TrialRecord, _: number, all: TrialRecord[]): string[] {
  return warnings.map((text) =>
    all.every((other) => other.warnings?.includes(text)) ? text : `trial ${trial}: ${text}`,
  );
}

/** The aftershocks of one or several trials, as a field that is absent where there is none. */
export function aftershocks(all: Aftershock[]): Pick<Measured, 'aftershocks'> {
  return all.length === 0 ? {} : { aftershocks: all };
}

/** The tries of one or several trials' proxies, as a field that is absent where there is none. */
export function proxies(parts: Record<string, ProxyTries>[]): Pick<Measured, 'proxies'> {
  const merged: Record<string, ProxyTries> = {};
  for (const [node, { requests, tries, failed }] of parts.flatMap((part) => Object.entries(part))) {
    const sum = merged[node] ?? { requests: 0, tries: 0, failed: 0 };
    merged[node] = sum;
    sum.requests += requests;
    sum.tries += tries;
    sum.failed += failed;
  }
  return Object.keys(merged).length === 0 ? {} : { proxies: merged };
}

/** The attackers of one or several trials, as a field that is absent where there is none. */
export function attackersOf(parts: Record<string, AttackReport>[]): Pick<Measured, 'attackers'> {
  const byNode = groupBy(
    parts.flatMap((part) => Object.entries(part)),
    ([node]) => node,
  );
  if (byNode.size === 0) return {};
  const merged = [...byNode].map(([node, reports]) => [node, mergeReports(reports.map(([, report]) => report))]);
  return { attackers: Object.fromEntries(merged) };
}

function mergePools(parts: Record<string, PoolPeak>[]): Record<string, PoolPeak> {
  const merged: Record<string, PoolPeak> = {};
  for (const part of parts) {
    for (const [node, pool] of Object.entries(part)) {
      if (merged[node] === undefined || pool.peak > merged[node].peak) merged[node] = { ...pool };
    }
  }
  return merged;
}

function mergeGenerators(parts: GeneratorReport[]): GeneratorReport {
  // What no engine could tell stays unknown (null in JSON); 0 would claim that it was punctual.
  const worst = (pick: (part: GeneratorReport) => number) =>
    parts.map(pick).reduce((most, value) => (value > most || !Number.isFinite(most) ? value : most), Number.NaN);
  const sum = (pick: (part: GeneratorReport) => number) => parts.reduce((total, part) => total + pick(part), 0);
  return {
    engine: [...new Set(parts.map((part) => part.engine))].join(', '),
    lateP50Ms: worst((part) => part.lateP50Ms),
    lateP99Ms: worst((part) => part.lateP99Ms),
    lateMaxMs: worst((part) => part.lateMaxMs),
    cpuSeconds: sum((part) => part.cpuSeconds),
    userSeconds: sum((part) => part.userSeconds),
    systemSeconds: sum((part) => part.systemSeconds),
    ownFailures: sum((part) => part.ownFailures),
    timer: [...new Set(parts.map((part) => part.timer))].join(', '),
    notes: [...new Set(parts.flatMap((part) => part.notes))],
  };
}
