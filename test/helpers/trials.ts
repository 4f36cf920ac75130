/** Trials and records made by hand, for tests of what comes after the traffic. */
import type { Verdict } from '../../src/ledger/causes.js';
import { latencyHistograms } from '../../src/record/latency.js';
import type { GateResult, LatencySummary, Measured, RunRecord, VariantRecord } from '../../src/record/run-record.js';
import type { TrialInput } from '../../src/record/summarise.js';
import type { Scenario, ScenarioVariant } from '../../src/scenario/scenario.js';
import type { GeneratorReport } from '../../src/traffic/engine.js';
import { ClientError, type Outcomes, outcomes, RequestState } from '../../src/traffic/outcomes.js';

const MS = 1e6;

/** A visitor per ms; all requests completed: connected 1 ms and answered 5 ms after the planned time. */
export function completedOutcomes(visitors: number, steps: number): Outcomes {
  const all = outcomes(visitors, steps);
  for (let row = 0; row < all.rows; row++) complete(all, row, 1, 5);
  return all;
}

/** Makes a row completed; times in ms after the planned one. */
export function complete(all: Outcomes, row: number, connectMs: number, responseMs: number): void {
  const step = row % all.steps;
  const due = (Math.floor(row / all.steps) + step * 1000) * MS;
  all.dueNs[row] = due;
  all.sentNs[row] = due;
  all.lastTryNs[row] = due;
  all.connectNs[row] = due;
  all.connectedNs[row] = due + connectMs * MS;
  all.firstByteNs[row] = due + responseMs * MS;
  all.doneNs[row] = due + responseMs * MS;
  all.connection[row] = row;
  all.status[row] = 200;
  all.localPort[row] = 20_000 + row;
  all.state[row] = RequestState.completed;
  all.attempts[row] = 1;
  all.synRetransmits[row] = 0;
}

/** Makes a row dropped by a connect time-out, and the visitor's later rows never due. */
export function drop(all: Outcomes, row: number): void {
  const visitorEnd = (Math.floor(row / all.steps) + 1) * all.steps;
  for (let later = row + 1; later < visitorEnd; later++) forget(all, later);
  all.state[row] = RequestState.dropped;
  all.error[row] = ClientError.connectTimeout;
  all.errno[row] = 110;
  all.status[row] = 0;
  all.connectedNs[row] = Number.NaN;
  all.firstByteNs[row] = Number.NaN;
  all.doneNs[row] = all.dueNs[row] + 3000 * MS;
}

/** Makes a row one that never came due. */
export function forget(all: Outcomes, row: number): void {
  all.state[row] = RequestState.notDue;
  all.attempts[row] = 0;
  all.dueNs[row] = Number.NaN;
  all.connectNs[row] = Number.NaN;
  all.connectedNs[row] = Number.NaN;
  all.doneNs[row] = Number.NaN;
}

export const exhausted: Verdict = { cause: 'ports-exhausted', at: 'edge', evidence: ['SYN into edge', 'no SYN out'] };
export const heldDown: Verdict = {
  cause: 'backend-held-down',
  at: 'balancer',
  because: { cause: 'ports-exhausted', at: 'balancer' },
  evidence: ['no live upstreams'],
};

export const punctual: GeneratorReport = {
  engine: 'socket',
  lateP50Ms: 0.05,
  lateP99Ms: 0.3,
  lateMaxMs: 1.9,
  cpuSeconds: 2,
  userSeconds: 0.5,
  systemSeconds: 1.5,
  ownFailures: 0,
  timer: 'epoll_pwait2',
  notes: [],
};

/** A trial's input; by default without losses, valid. */
export function trialInput(all: Outcomes, changes: Partial<TrialInput> = {}): TrialInput {
  return {
    outcomes: all,
    latency: latencyHistograms(all),
    dropped: new Map(),
    delayed: new Map(),
    pools: { edge: { capacity: 500, peak: 400, peakShare: 0.8 } },
    counters: {},
    generator: punctual,
    idPrefix: 'v1t1',
    plannedVisitors: all.visitors,
    maxLatenessMs: 10,
    problems: [],
    ...changes,
  };
}

const latency: LatencySummary = { p50: 0.4, p90: 1, p99: 3.1, p999: 9, max: 12, mean: 0.6, count: 3000 };

/** Measured numbers of a variant without losses. */
export function measuredNumbers(changes: Partial<Measured> = {}): Measured {
  return {
    requests: { due: 3000, completed: 3000, dropped: 0, attempts: 3000, byCause: [], delayed: [] },
    visitors: { arrived: 1000, served: 1000, soldOut: 0, turnedAway: 0 },
    tickets: { stock: 5000, sold: 1000 },
    latency: { connect: latency, response: { ...latency, p50: 41, p99: 120 } },
    throughput: { completedPerSecond: 950 },
    ports: { edge: { capacity: 64_512, peak: 812, peakShare: 812 / 64_512 } },
    generator: punctual,
    validity: { valid: true, reasons: [] },
    ...changes,
  };
}

/** A variant's record. */
export function variantRecord(name: string, changes: Partial<Measured> = {}, gates: GateResult[] = []): VariantRecord {
  const measured = measuredNumbers(changes);
  return { name, trials: 1, ...measured, gates, perTrial: [{ trial: 1, ...measured }] };
}

/** The variant of the ticket sale that runs out of ports. */
export function losingVariant(gates: GateResult[] = []): VariantRecord {
  return variantRecord(
    'as-shipped',
    {
      requests: {
        due: 3000,
        completed: 2700,
        dropped: 300,
        attempts: 3000,
        byCause: [{ cause: 'ports-exhausted', at: 'edge', count: 300, evidence: [] }],
        delayed: [{ cause: 'time-wait-collision', at: 'shop', count: 12 }],
      },
      visitors: { arrived: 1000, served: 700, soldOut: 0, turnedAway: 300 },
      tickets: { stock: 5000, sold: 700 },
      ports: { edge: { capacity: 500, peak: 500, peakShare: 1 } },
    },
    gates,
  );
}

/** A run of these variants. */
export function runRecord(variants: VariantRecord[], changes: Partial<RunRecord> = {}): RunRecord {
  return {
    schema: 'portparty/run@1',
    id: '20261124T192318Z-ticket-sale-ab12',
    startedAt: '2026-11-24T19:23:18.123Z',
    finishedAt: '2026-11-24T19:23:48.123Z',
    status: 'complete',
    scenario: { name: 'ticket-sale', file: 'scenarios/ticket-sale.yaml', sha256: '00', seed: 1 },
    driver: 'netns',
    driverReason: 'namespaces work here',
    environment: { kernel: '6.18.0', node: 'v20.20.2', cpus: 2, versions: { nginx: '1.22.1' } },
    variants,
    verdict: 'none',
    ...changes,
  };
}

/** A scenario with variants of these names and gates; what a record does not look at is left empty. */
export function scenarioOf(variants: Record<string, string[]>): Scenario {
  return {
    name: 'ticket-sale',
    description: '',
    file: 'scenarios/ticket-sale.yaml',
    sha256: '00',
    seed: 1,
    trials: 1,
    variants: Object.entries(variants).map(
      ([name, gates]) =>
        ({
          name,
          topology: {},
          gates: gates.map((text) => ({ text, where: '' })),
          configs: {},
        }) as unknown as ScenarioVariant,
    ),
  };
}
