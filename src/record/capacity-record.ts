/** The record of a search for capacity, `capacity.json` (schema `portparty/capacity@1`): its types, and how it is written while the search goes. */
import { join } from 'node:path';
import type { ProbeOutcome, ProbePurpose, SearchEnd, SearchSettings } from '../analysis/capacity-search.js';
import type { Cause } from '../ledger/causes.js';
import type { LoadKind } from '../scenario/scale.js';
import type { Scenario } from '../scenario/scenario.js';
import { writeWhole } from './run-files.js';
import { makeRunFolder } from './run-folder.js';
import type { GateResult, Measured, RunRecord } from './run-record.js';

/** Value of `schema`, for readers to check. */
const CAPACITY_SCHEMA = 'portparty/capacity@1';

/** One trial at one level: the numbers of the part that was judged. */
export interface CapacityTrial
  extends Pick<Measured, 'requests' | 'latency' | 'throughput' | 'ports' | 'generator' | 'cpu' | 'warnings'> {
  /** Numbered from 1, in the order of the search. */
  trial: number;
  level: number;
  purpose: ProbePurpose;
  outcome: ProbeOutcome;
  gates: GateResult[];
  /** Why the trial is invalid, where it is. */
  reasons: string[];
  /** The part that was judged, ms since the trial's start, and how many visitors a second arrived in it. */
  judged: { fromMs: number; toMs: number; offeredPerSecond: number };
  /** The trial's own record, a folder beside `capacity.json`. */
  run: string;
  tookMs: number;
}

/** What stands in the way of more. */
export interface CapacityLimit {
  /** `chain`: a gate fails. `generator`: the harness itself could do no more, so the chain's capacity is higher. */
  what: 'chain' | 'generator';
  /** The level, and the trial, that it is told from. */
  level: number;
  trial: number;
  /** The resource; absent where nothing was lost or late, or the harness was the limit. */
  cause?: Cause;
  at?: string;
  /** A sentence. */
  says: string;
  advice: { do: string; knob?: string; value?: string; because?: string }[];
}

/** The whole of `capacity.json`. Levels are visitors per second, connections or visitors, as `of` says. */
export interface CapacityRecord {
  schema: typeof CAPACITY_SCHEMA;
  id: string;
  startedAt: string;
  finishedAt: string | null;
  status: 'complete' | 'interrupted';
  scenario: RunRecord['scenario'];
  variant: string;
  driver: RunRecord['driver'];
  driverReason: string;
  /** null until the first trial has ended. */
  environment: RunRecord['environment'] | null;
  of: LoadKind;
  gates: string[];
  /** Gates of the scenario that the search leaves out, and why. */
  gatesLeftOut: { gate: string; why: string }[];
  settings: Omit<SearchSettings, 'upTo' | 'isWhole'> & { upTo: number | null; process: 'uniform' | 'poisson' };
  trials: CapacityTrial[];
  /** The highest level at which the gates hold; null where none is known. */
  capacity: number | null;
  /** The chain carries more: the generator was the limit, or the search ended before any level failed. */
  isAtLeast: boolean;
  /** Both sides of the bracket are backed by as many trials as were asked for. */
  isSure: boolean;
  /** The lowest level above it that failed, or that could not be measured. */
  failsAt: number | null;
  end: SearchEnd | null;
  limit: CapacityLimit | null;
  /** The highest level up to which the response's p99 stays within twice that of the lowest one; null where it always does. */
  knee: number | null;
  /** The most that completed per second in any trial at a level that fails: where the chain gives no more, whatever it is offered; null where none failed. */
  saturation: number | null;
  /** What a reader should know beside the number. */
  notes: string[];
  need: number | null;
  /** Capacity over need, minus 1; null without a need, or a capacity. */
  headroom: number | null;
  /** `pass` or `fail`: the need is met or not. `invalid`: too little could be measured to tell. `none`: nothing was needed. */
  verdict: RunRecord['verdict'];
}

/** A record that is being written. */
export interface CapacityWriter {
  readonly dir: string;
  readonly record: CapacityRecord;
  /** Replaces `capacity.json` by the record as it is now. */
  save(): void;
}

/** What is known before the first trial. */
export type CapacityStart = Pick<
  CapacityRecord,
  'variant' | 'driver' | 'driverReason' | 'of' | 'gates' | 'gatesLeftOut' | 'settings' | 'need'
>;

/**
 * Makes `<outDir>/<id>/capacity.json`; it says `interrupted` until the search has come to its end.
 * @throws PortPartyError (exit 2) when the folder cannot be made
 */
export function createCapacityRecord(outDir: string, scenario: Scenario, start: CapacityStart): CapacityWriter {
  const now = new Date();
  const { id, dir } = makeRunFolder(outDir, `${scenario.name}-capacity`, now);
  const { name, file, sha256, seed } = scenario;
  const record: CapacityRecord = {
    schema: CAPACITY_SCHEMA,
    id,
    startedAt: now.toISOString(),
    finishedAt: null,
    status: 'interrupted',
    scenario: { name, file, sha256, seed },
    ...start,
    environment: null,
    trials: [],
    capacity: null,
    isAtLeast: false,
    isSure: false,
    failsAt: null,
    end: null,
    limit: null,
    knee: null,
    saturation: null,
    notes: [],
    headroom: null,
    verdict: 'none',
  };
  const save = () => writeWhole(join(dir, 'capacity.json'), `${JSON.stringify(record, null, 2)}\n`);
  save();
  return { dir, record, save };
}
