/** Writes a run to disk while it goes: what a crash leaves behind is readable and marked `interrupted` (docs/record.md). */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Baseline, noteOf } from '../analysis/baseline.js';
import { evaluateGates, verdictOf } from '../analysis/evaluate-gates.js';
import type { Verdict } from '../ledger/causes.js';
import type { KeptWays } from '../ledger/kept-ways.js';
import type { Way } from '../ledger/way.js';
import type { ChainEvent, PortSample } from '../observe/observations.js';
import { renderJunit } from '../report/junit.js';
import { renderMarkdown } from '../report/markdown.js';
import type { Placement } from '../run/placement.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Outcomes } from '../traffic/outcomes.js';
import type { ChainRecord } from './chain-record.js';
import { type LatencyHistograms, type LatencyKind, latencyLog } from './latency.js';
import { mergeTrials } from './merge-trials.js';
import { createRequestsFile, type RequestsFile, type TrialInfo } from './requests-file.js';
import { createLineFile, type LineFile, linkLatest, trialName, writeWhole } from './run-files.js';
import { makeRunFolder } from './run-folder.js';
import {
  type EventRecord,
  type Measured,
  RUN_SCHEMA,
  type RunRecord,
  type RunStatus,
  type TrialRecord,
  type VariantRecord,
} from './run-record.js';
import { summariseTrial, type TrialInput } from './summarise.js';

/** What a record says of the run as a whole. */
export interface RecordOptions {
  /** The folder that holds the runs; made when it is missing. */
  outDir: string;
  scenario: Scenario;
  driver: RunRecord['driver'];
  driverReason: string;
  environment: RunRecord['environment'];
  /** What relative gates are held against; checked already. */
  baseline?: Baseline;
  /** Which cores the parts keep to. */
  placement?: Placement;
}

/** What belongs to a trial from its start on. */
export interface TrialStart extends TrialInfo {
  outcomes: Outcomes;
  /** The variant's settings, where it is a combination of the matrix. */
  cell?: Record<string, string>;
  /** The chain, for explanations. */
  chain?: ChainRecord;
}

/** What is known of a trial only at its end. */
export type TrialEnd = Omit<TrialInput, 'outcomes' | 'latency' | 'idPrefix'> & {
  /** What was done to the chain while traffic ran. */
  events?: ChainEvent[];
  /** The ways of single requests, and which were kept. */
  ways?: { kept: KeptWays; all: Iterable<Way> };
};

/** The record of a trial that is under way. */
export interface TrialWriter {
  /** Writes the requests that had ended by the time of the last call; meant to be called about once a second. */
  appendSettled(): void;
  /** Adds one sample to the time series. */
  sample(sample: PortSample): void;
  /** Adds an event of the chain to the time series, such as a fault that was injected. */
  event(event: ChainEvent): void;
  /** The trial ran to its end: writes everything that belongs to it and updates `run.json`. */
  finish(end: TrialEnd): TrialRecord;
  /** The trial was cut short: keeps the requests as they are. It does not count in `run.json`. */
  abandon(): void;
}

/** An open record. */
export interface RecordWriter {
  readonly id: string;
  /** The run's folder. */
  readonly dir: string;
  /** The folder for the logs of one trial; made on demand. */
  logsDir(variant: string, trial: number): string;
  /** Begins to write a trial; its `outcomes` are read whenever rows are written. */
  beginTrial(start: TrialStart): TrialWriter;
  /** Writes `run.json`, `summary.md` and `junit.xml` for good and closes all files. */
  finish(status: RunStatus): RunRecord;
}

/**
 * Makes `<outDir>/<id>/` and `<outDir>/latest`. `run.json` is there at once, with status `interrupted` until `finish()`.
 * @throws PortPartyError (exit 2) when the folder cannot be made
 */
export function createRecord(options: RecordOptions): RecordWriter {
  const startedAt = new Date();
  const { id, dir } = makeRunFolder(options.outDir, options.scenario.name, startedAt);
  const { name, file, sha256, seed } = options.scenario;
  const record: RunRecord = {
    schema: RUN_SCHEMA,
    id,
    startedAt: startedAt.toISOString(),
    finishedAt: null,
    status: 'interrupted',
    scenario: { name, file, sha256, seed },
    driver: options.driver,
    driverReason: options.driverReason,
    ...(options.placement && { placement: options.placement }),
    environment: options.environment,
    variants: [],
    verdict: 'none',
  };
  const files: OpenFiles = {
    requests: createRequestsFile(join(dir, 'requests.bin')),
    series: createLineFile(join(dir, 'series.ndjson')),
    evidence: createLineFile(join(dir, 'evidence.ndjson')),
    chains: createLineFile(join(dir, 'chains.ndjson')),
    ways: createLineFile(join(dir, 'ways.ndjson')),
  };
  const latencies = new Map<string, LatencyHistograms[]>();
  const save = () => {
    record.verdict = verdictOf(record.variants, record.status);
    writeWhole(join(dir, 'run.json'), `${JSON.stringify(record, null, 2)}\n`);
  };
  save();
  linkLatest(options.outDir, id);

  return {
    id,
    dir,
    logsDir(variant, trial) {
      const folder = join(dir, 'logs', trialName(variant, trial));
      mkdirSync(folder, { recursive: true });
      return folder;
    },
    beginTrial(start) {
      const keep = (trial: TrialRecord, latency: LatencyHistograms) => {
        const all = [...(latencies.get(start.variant) ?? []), latency];
        latencies.set(start.variant, all);
        const gates = options.scenario.variants.find((variant) => variant.name === start.variant)?.gates ?? [];
        addTrial(record.variants, start, trial, all, (variant) =>
          evaluateGates(
            gates.map(({ text }) => text),
            variant,
            options.baseline?.variants[start.variant],
          ),
        );
        save();
      };
      return trialWriter({ id, dir, files, start, keep });
    },
    finish(status) {
      record.status = status;
      record.finishedAt = new Date().toISOString();
      if (options.baseline !== undefined) record.baseline = noteOf(options.baseline, record);
      save();
      writeWhole(join(dir, 'summary.md'), renderMarkdown(record));
      writeWhole(join(dir, 'junit.xml'), renderJunit(record));
      for (const open of Object.values(files)) open.close();
      return record;
    },
  };
}

interface OpenFiles {
  requests: RequestsFile;
  series: LineFile;
  evidence: LineFile;
  chains: LineFile;
  ways: LineFile;
}

function trialWriter(context: {
  id: string;
  dir: string;
  files: OpenFiles;
  start: TrialStart;
  keep: (trial: TrialRecord, latency: LatencyHistograms) => void;
}): TrialWriter {
  const { files, start } = context;
  const { outcomes, chain, ...info } = start;
  const where = { run: context.id, variant: info.variant, trial: info.trial };
  const rows = files.requests.beginTrial(info, outcomes);
  if (chain !== undefined) files.chains.append({ ...where, ...chain });
  files.series.append({ type: 'trial', ...where, startedAtMs: info.startedAtMs });
  return {
    appendSettled: () => rows.appendSettled(),
    sample({ timeNs, ...sample }) {
      files.series.append({ type: 'sample', ...where, timeMs: timeNs / 1e6, ...sample });
    },
    event(event) {
      const { startedMs: timeMs, ...rest } = eventRecord(event);
      files.series.append({ type: 'event', ...where, timeMs, ...rest, hosts: event.hosts });
    },
    finish(end) {
      rows.appendRest();
      rows.appendVerdicts(end.dropped);
      rows.appendVerdicts(end.delayed);
      files.evidence.appendAll(evidenceLines(where, start, end));
      if (end.ways !== undefined) {
        files.ways.appendAll(end.ways.all);
        // Behind the ways: where this line is, they are whole.
        files.ways.append({ ...where, kept: end.ways.kept });
      }
      const latency = writeLatencies(context.dir, start);
      const measured = summariseTrial({ ...end, outcomes, latency, idPrefix: info.idPrefix });
      const events = (end.events ?? []).map(eventRecord);
      const trial = { trial: info.trial, ...measured, ...(events.length === 0 ? {} : { events }) };
      context.keep(trial, latency);
      return trial;
    },
    abandon: () => rows.appendRest(),
  };
}

/** Times in ms, rounded to microseconds. */
function eventRecord({ text, plannedNs, startedNs, tookMs, outcome, failure }: ChainEvent): EventRecord {
  const ms = (value: number) => Number(value.toFixed(3));
  return {
    event: text,
    plannedMs: ms(plannedNs / 1e6),
    startedMs: startedNs === undefined ? null : ms(startedNs / 1e6),
    tookMs: ms(tookMs),
    outcome,
    ...(failure === undefined ? {} : { failure }),
  };
}

function* evidenceLines(where: object, start: TrialStart, end: TrialEnd): Generator<object> {
  const { idPrefix, outcomes } = start;
  const line = (state: 'dropped' | 'delayed', row: number, { cause, at, because, evidence }: Verdict) => ({
    id: `${idPrefix}.${Math.floor(row / outcomes.steps)}.${row % outcomes.steps}`,
    ...where,
    state,
    cause,
    at,
    ...(because === undefined ? {} : { because }),
    evidence,
  });
  for (const [row, verdict] of end.dropped) yield line('dropped', row, verdict);
  for (const [row, verdict] of end.delayed) yield line('delayed', row, verdict);
}

function writeLatencies(dir: string, { variant, trial, startedAtMs, outcomes }: TrialStart): LatencyHistograms {
  const folder = join(dir, 'latency');
  mkdirSync(folder, { recursive: true });
  const write = (kind: LatencyKind) => {
    const log = latencyLog(outcomes, kind, { startedAtMs, tag: `${variant}-${trial}-${kind}` });
    writeFileSync(join(folder, `${trialName(variant, trial)}-${kind}.hlog`), log.text);
    return log.histogram;
  };
  return { connect: write('connect'), response: write('response') };
}

function addTrial(
  variants: VariantRecord[],
  { variant: name, cell, nodes }: TrialStart,
  trial: TrialRecord,
  latencies: LatencyHistograms[],
  evaluate: (variant: Measured & { perTrial: TrialRecord[] }) => Pick<VariantRecord, 'gates' | 'skippedGates'>,
): void {
  const index = variants.findIndex((variant) => variant.name === name);
  const perTrial = [...(index === -1 ? [] : variants[index].perTrial), trial];
  const measured = mergeTrials(perTrial, latencies);
  const variant: VariantRecord = {
    name,
    ...(cell !== undefined && { cell }),
    trials: perTrial.length,
    nodes,
    ...measured,
    ...evaluate({ ...measured, perTrial }),
    perTrial,
  };
  if (index === -1) variants.push(variant);
  else variants[index] = variant;
}
