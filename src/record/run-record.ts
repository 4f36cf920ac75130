/** The record of a run, `run.json` (schema `portparty/run@1`), as types. The contract with users' pipelines: fields may be added, none removed. */
import type { AttackReport } from '../attacks/report.js';
import type { Aftershock } from '../ledger/aftershocks.js';
import type { Cause } from '../ledger/causes.js';
import type { ProxyTries } from '../ledger/proxy-tries.js';
import type { PoolPeak } from '../observe/observations.js';
import type { Placement } from '../run/placement.js';
import type { GeneratorReport } from '../traffic/engine.js';

/** Value of `schema`, for readers to check; the number rises when a field is removed or changes its meaning. */
export const RUN_SCHEMA = 'portparty/run@1';

/** `interrupted` until the run has come to its end: what a crash leaves behind says so. */
export type RunStatus = 'complete' | 'interrupted';
/** Of the gates: `invalid` when the numbers must not be trusted; `none` without gates, or interrupted and none of them failed. */
export type RunVerdict = 'pass' | 'fail' | 'invalid' | 'none';

/** One piece of evidence for a cause: a kernel counter, what the clients' sockets said, or one request as an example. */
export interface EvidenceSummary {
  /** Where it was read: `edge: conntrack insert_failed`. */
  source: string;
  value: number | string;
}

/** How many requests were lost (or late) for one cause at one node, `because` of another one where it follows from that. */
export interface CauseCount {
  cause: Cause;
  /** The node's name. */
  at: string;
  count: number;
  because?: { cause: Cause; at: string };
  evidence: EvidenceSummary[];
}

/** Milliseconds. */
export interface LatencySummary {
  p50: number;
  p90: number;
  p99: number;
  p999: number;
  max: number;
  mean: number;
  count: number;
}

/** One gate, as written, with what it looked at. `observed` is in the gate's unit: a count, ms, per second, or a share from 0 to 1. */
export interface GateResult {
  gate: string;
  /** null when there was nothing to observe; such a gate fails. */
  observed: number | null;
  pass: boolean;
  /** What a relative gate was held against; absent for a gate with a number of its own. */
  baseline?: BaselineResult;
}

/** The baseline's side of a relative gate, in the gate's unit. `observed` and these are means over trials. */
export interface BaselineResult {
  /** null when the baseline measured nothing of the kind; such a gate fails. */
  value: number | null;
  /** The baseline's value moved by the margin. */
  bound: number | null;
  trials: { run: number; baseline: number };
  /** Probability that trials at the bound would lie as far beyond it by chance; absent where the means were compared, as trials were too few. */
  p?: number;
}

/** What one part of a trial took of the processors: 1 is one core all the time. */
export interface CpuShare {
  /** User and system. */
  cpuSeconds: number;
  /** Over the time that it was measured in. */
  cores: number;
  /** The most over about a second. */
  peakCores: number;
}

/** What each part took of the processors while requests were under way, user and system. What the kernel does for a connection counts where it does it. */
export interface CpuUse {
  /** From the first planned request to the last answer. */
  overSeconds: number;
  /** This program: the sending, the watching and the recording (`generator.cpuSeconds` is the sending threads alone), its agents included. */
  harness: CpuShare;
  /** The daemons, by node; nodes without one are left out. */
  nodes: Record<string, NodeCpu>;
}

/** The daemons of one node. */
export interface NodeCpu extends CpuShare {
  /** Its busiest second on any of its hosts; absent where none was measured. */
  busiest?: BusiestSecond;
}

/** The busiest thread of a second, or the process that used most of the cores it may use. Shares from 0 to 1. */
export interface BusiestSecond {
  host: string;
  /** Its name as the kernel has it. */
  program: string;
  /** Whose shares they are. */
  of: 'thread' | 'process';
  /** On a core. */
  ran: number;
  /** Ready to run, without a core: other programs had them. */
  waited: number;
  /** Since the trial's start. */
  fromMs: number;
}

/** The measured fields, the same for a variant and for each of its trials. */
export interface Measured {
  requests: {
    due: number;
    completed: number;
    dropped: number;
    attempts: number;
    byCause: CauseCount[];
    delayed: Omit<CauseCount, 'evidence'>[];
  };
  /** Times in which a proxy held its backends down. Absent where there was none. */
  aftershocks?: Aftershock[];
  /** How often the proxies tried their backends, by node. Absent where no proxy logs it. */
  proxies?: Record<string, ProxyTries>;
  visitors: { arrived: number; served: number; soldOut: number; turnedAway: number };
  /** Absent where nothing sells tickets. */
  tickets?: { stock: number; sold: number };
  /** What each attacker did, by node: no part of the numbers above. Absent where there is none. */
  attackers?: Record<string, AttackReport>;
  latency: { connect: LatencySummary; response: LatencySummary };
  throughput: { completedPerSecond: number };
  ports: Record<string, PoolPeak>;
  generator: GeneratorReport;
  /** Absent in records of older versions, and where nothing was sampled. */
  cpu?: CpuUse;
  /** What a reader should know before believing that the chain's settings made these numbers, in sentences. Absent where there is none. */
  warnings?: string[];
  validity: { valid: boolean; reasons: string[] };
}

/** What was done to the chain while traffic ran. Milliseconds since the trial's start. */
export interface EventRecord {
  /** In words: `kill shop[1]`. */
  event: string;
  plannedMs: number;
  /** When it really began; null when the traffic had ended before. */
  startedMs: number | null;
  tookMs: number;
  outcome: 'done' | 'failed' | 'never';
  failure?: string;
}

/** One trial of a variant, numbered from 1. */
export interface TrialRecord extends Measured {
  trial: number;
  /** Absent where the scenario has none. */
  events?: EventRecord[];
}

/** A variant over all its trials: counts are sums, percentiles come from the merged histograms, throughput is the mean. */
export interface VariantRecord extends Measured {
  name: string;
  /** Of a combination of the matrix: its settings by their short names, in the file's order. Absent for other variants. */
  cell?: Record<string, string>;
  /** Trials that ran to their end. */
  trials: number;
  /** The names of its nodes; absent in records of older versions. */
  nodes?: string[];
  gates: GateResult[];
  /** Gates that compare with a baseline, where none was named: neither held nor broken. Absent where there is none. */
  skippedGates?: string[];
  perTrial: TrialRecord[];
}

/** The baseline of a run, and in sentences what was not the same then: what makes numbers hard to compare. */
export interface BaselineNote {
  /** Id of the run that it was made from. */
  run: string;
  differences: string[];
}

/** The whole of `run.json`. Times are ISO 8601 in UTC; `finishedAt` is null until the run has ended. */
export interface RunRecord {
  schema: typeof RUN_SCHEMA;
  id: string;
  startedAt: string;
  finishedAt: string | null;
  status: RunStatus;
  scenario: { name: string; file: string; sha256: string; seed: number };
  driver: 'netns' | 'docker';
  /** Why this driver was taken. */
  driverReason: string;
  /** What relative gates were held against; absent where no baseline was named. */
  baseline?: BaselineNote;
  /** Which cores the parts kept to (`--pin`); absent where they were free. */
  placement?: Placement;
  environment: { kernel: string; node: string; cpus: number; versions: Record<string, string> };
  variants: VariantRecord[];
  verdict: RunVerdict;
}
