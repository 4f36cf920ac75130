/** One trial's outcomes and verdicts as the numbers of `run.json`, and several trials as one. */
import { type AttackReport, mergeReports } from '../attacks/report.js';
import { groupBy } from '../collections.js';
import { type Aftershock, aftershocksOf } from '../ledger/aftershocks.js';
import type { Verdict } from '../ledger/causes.js';
import type { ProxyTries } from '../ledger/proxy-tries.js';
import type { CounterDeltas, PoolPeak } from '../observe/observations.js';
import type { GeneratorReport } from '../traffic/engine.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import { countCauses, countDelays, mergeCauses, mergeDelays } from './cause-counts.js';
import { type LatencyHistograms, mergeHistograms, summariseLatency } from './latency.js';
import type { Measured, TrialRecord } from './run-record.js';

/** All that one trial's summary is made from. */
export interface TrialInput {
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
  /** Request ids are `<idPrefix>.<visitor>.<step>`. */
  idPrefix: string;
  /** Visitors that the schedule planned; undefined in closed loop. */
  plannedVisitors: number | undefined;
  /** Limit of the generator's lateness, p99 in ms. */
  maxLatenessMs: number;
  /** What else makes the measurement invalid, with what to do: taps that lost packets, logs that could not be read. */
  problems: string[];
}

/** The summary of one trial. A trial whose numbers must not be trusted says so in `validity`. */
export function summariseTrial(input: TrialInput): Measured {
  const { outcomes, generator } = input;
  const counts = countRequests(outcomes);
  const nameOf = (row: number) => `${input.idPrefix}.${Math.floor(row / outcomes.steps)}.${row % outcomes.steps}`;
  const measured: Measured = {
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
    generator,
    validity: { valid: true, reasons: [] },
  };
  const reasons = [
    ...nothingMeasured(counts.due),
    ...generatorTrouble(generator, input.maxLatenessMs, input.plannedVisitors !== undefined),
    ...neverArrived(input.plannedVisitors, measured.visitors.arrived),
    ...[imbalance(outcomes, measured)].filter((reason) => reason !== undefined),
    ...input.problems,
  ];
  measured.validity = { valid: reasons.length === 0, reasons };
  return measured;
}

/**
 * Why the ledger does not balance, in words, or undefined when it does: every request that came due ended as completed or dropped,
 * every dropped one has exactly one cause, every visitor is served, sold out or turned away.
 */
export function imbalance(outcomes: Outcomes, measured: Measured): string | undefined {
  const { requests, visitors } = measured;
  const counted = countRequests(outcomes);
  const underWay = counted.due - counted.completed - counted.dropped;
  const caused = requests.byCause.reduce((sum, { count }) => sum + count, 0);
  const ended = visitors.served + visitors.soldOut + visitors.turnedAway;
  if (underWay !== 0) return unbalanced(`${underWay} of ${counted.due} requests ended neither completed nor dropped`);
  for (const name of ['due', 'completed', 'dropped', 'attempts'] as const) {
    if (requests[name] !== counted[name])
      return unbalanced(`${name} is ${requests[name]}, but the outcomes say ${counted[name]}`);
  }
  if (caused !== requests.dropped)
    return unbalanced(`${requests.dropped} requests were dropped, but ${caused} have a cause`);
  const late = requests.delayed.reduce((sum, { count }) => sum + count, 0);
  if (late > requests.completed)
    return unbalanced(`${late} requests were delayed, but ${requests.completed} completed`);
  if (ended !== visitors.arrived)
    return unbalanced(
      `${visitors.arrived} visitors arrived, but ${ended} were served, met a sold-out sale or were turned away`,
    );
  return undefined;
}

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
    validity: { valid: reasons.length === 0 && trials.every((trial) => trial.validity.valid), reasons },
  };
}

function countRequests(outcomes: Outcomes): { due: number; completed: number; dropped: number; attempts: number } {
  const counts = { due: 0, completed: 0, dropped: 0, attempts: 0 };
  for (let row = 0; row < outcomes.rows; row++) {
    const state = outcomes.state[row];
    if (state === RequestState.notDue) continue;
    counts.due++;
    counts.attempts += outcomes.attempts[row];
    if (state === RequestState.completed) counts.completed++;
    else if (state === RequestState.dropped) counts.dropped++;
  }
  return counts;
}

function countVisitors(outcomes: Outcomes): Measured['visitors'] {
  const counts = { arrived: 0, served: 0, soldOut: 0, turnedAway: 0 };
  for (let visitor = 0; visitor < outcomes.visitors; visitor++) {
    const first = visitor * outcomes.steps;
    if (outcomes.state[first] === RequestState.notDue) continue;
    counts.arrived++;
    let [completed, soldOut, dropped] = [0, false, false];
    for (let row = first; row < first + outcomes.steps; row++) {
      if (outcomes.state[row] === RequestState.completed) completed++;
      if (outcomes.state[row] === RequestState.dropped) dropped = true;
      if (outcomes.soldOut[row] === 1) soldOut = true;
    }
    if (dropped) counts.turnedAway++;
    else if (soldOut) counts.soldOut++;
    else if (completed === outcomes.steps) counts.served++;
  }
  return counts;
}

function completedPerSecond(outcomes: Outcomes, completed: number): number {
  if (completed === 0) return 0;
  let [firstDue, lastDone] = [Number.POSITIVE_INFINITY, 0];
  for (let row = 0; row < outcomes.rows; row++) {
    if (outcomes.dueNs[row] < firstDue) firstDue = outcomes.dueNs[row];
    if (outcomes.state[row] === RequestState.completed && outcomes.doneNs[row] > lastDone)
      lastDone = outcomes.doneNs[row];
  }
  return Number(((completed * 1e9) / (lastDone - firstDue)).toFixed(2));
}

function nothingMeasured(due: number): string[] {
  return due === 0
    ? ['no request came due, so nothing was measured; let the arrivals last longer or raise their rate']
    : [];
}

function generatorTrouble(generator: GeneratorReport, maxLatenessMs: number, openLoop: boolean): string[] {
  const reasons: string[] = [];
  if (openLoop && !Number.isFinite(generator.lateP99Ms))
    reasons.push(`the ${generator.engine} engine could not tell how late it was; use --engine socket`);
  if (generator.lateP99Ms > maxLatenessMs)
    reasons.push(
      `the generator was late: 1 of 100 requests was sent ${generator.lateP99Ms.toFixed(1)} ms or more after its planned time ` +
        `(limit ${maxLatenessMs} ms); lower the rate, use a machine with more cores, or raise traffic.maxLateness`,
    );
  if (generator.ownFailures > 0)
    reasons.push(
      `the generator itself ran out of file descriptors or memory ${generator.ownFailures} times; raise \`ulimit -n\` or lower the load`,
    );
  return reasons;
}

function neverArrived(planned: number | undefined, arrived: number): string[] {
  if (planned === undefined || planned === arrived) return [];
  return [
    `${planned - arrived} of ${planned} planned visitors never arrived: the generator ended early; see the run's logs`,
  ];
}

function unbalanced(what: string): string {
  return `the ledger does not balance: ${what}; please report this with the run's folder`;
}

/** A field that is absent where there is nothing to say. */
function aftershocks(all: Aftershock[]): Pick<Measured, 'aftershocks'> {
  return all.length === 0 ? {} : { aftershocks: all };
}

/** The tries of one or several trials' proxies, absent where there are none. */
function proxies(parts: Record<string, ProxyTries>[]): Pick<Measured, 'proxies'> {
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
function attackersOf(parts: Record<string, AttackReport>[]): Pick<Measured, 'attackers'> {
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
