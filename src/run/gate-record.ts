/** `portparty gate` as far as it decides: the record, its gates and the baseline from disk, judged; and the exit code. */
import { readFileSync } from 'node:fs';
import { baselineOf } from '../analysis/baseline.js';
import { type GateFor, gateRun } from '../analysis/gate-run.js';
import { ExitCode, usageError } from '../errors.js';
import { readBaseline, writeBaseline } from '../record/read-baseline.js';
import { readRun } from '../record/read-record.js';
import type { RunRecord } from '../record/run-record.js';
import { plural } from '../report/format.js';
import { type GatesFile, type PlacedGate, parseGatesFile } from '../scenario/gates-file.js';
import { namesVariant } from '../scenario/matrix.js';

/** What the command line asks for. */
export interface GateRecordOptions {
  /** These gates, and those of this file, instead of the record's own. */
  gate?: string[];
  gates?: string;
  variant?: string[];
  /** A run or a file. */
  baseline?: string;
  /** File to write a baseline to. */
  saveBaseline?: string;
  /** Folder that holds the runs. */
  out: string;
}

/** What was decided, and where the gates are written. */
export interface JudgedRecord {
  judged: RunRecord;
  file: string;
  /** Empty where the file could not be read any more. */
  written: PlacedGate[];
  /** What a user should know beside the result. */
  remarks: string[];
}

/**
 * Holds gates against a record.
 * @throws PortPartyError (exit 2) that names what is wrong: the record, a gate, a file, the baseline, or that there is nothing to hold
 */
export function gateRecord(run: string, options: GateRecordOptions): JudgedRecord {
  const record = readRun(run, options.out);
  const written = options.gates === undefined ? ownGates(record.scenario.file) : readGates(options.gates);
  const { gates: fromFile, remarks } = ofThisRun(
    options.gates === undefined ? { gates: [], variants: [] } : written,
    record,
  );
  const given: GateFor[] = [...(options.gate ?? []), ...fromFile];
  const baseline = options.baseline === undefined ? undefined : readBaseline(options.baseline, options.out);
  const judged = gateRun(record, {
    gates: options.gate === undefined && options.gates === undefined ? undefined : given,
    variants: options.variant,
    baseline,
    // Where the first baseline is about to be made, there is none yet.
    skipRelative: options.saveBaseline !== undefined,
  });
  const isEmpty = judged.variants.every(({ gates, skippedGates = [] }) => gates.length + skippedGates.length === 0);
  if (isEmpty && judged.variants.length > 0 && options.saveBaseline === undefined)
    throw usageError('there are no gates to hold', record.id, "name one: --gate 'dropped == 0'");
  if (options.saveBaseline !== undefined) remarks.push(...save(options.saveBaseline, judged));
  return { judged, file: options.gates ?? record.scenario.file, written: written.gates, remarks };
}

/** A scenario has gates for all its variants, a run perhaps only some of them. Variants that neither knows are left in, to be refused. */
function ofThisRun({ gates, variants }: GatesFile, record: RunRecord): { gates: PlacedGate[]; remarks: string[] } {
  const absent = variants.filter((name) => !record.variants.some((variant) => variant.name === name));
  const isAbsent = (wanted: string) =>
    absent.some((name) => namesVariant(wanted, name)) &&
    !record.variants.some(({ name }) => namesVariant(wanted, name));
  const present = gates.map((gate) => ({ ...gate, variants: gate.variants?.filter((name) => !isAbsent(name)) }));
  const kept = present.filter((gate) => gate.variants?.length !== 0);
  const left = gates.length - kept.length;
  const remark = `${plural(left, 'gate is', 'gates are')} left out: the run has not the variants ${absent.join(', ')}`;
  return { gates: kept, remarks: left === 0 ? [] : [remark] };
}

/** The exit code that a judged record stands for. What was cut short has proved nothing. */
export function exitCodeOfGates({ verdict, status }: RunRecord): ExitCode {
  if (verdict === 'fail') return ExitCode.gatesFailed;
  return verdict === 'invalid' || status === 'interrupted' ? ExitCode.invalid : ExitCode.ok;
}

function save(file: string, judged: RunRecord): string[] {
  if (exitCodeOfGates(judged) === ExitCode.invalid || judged.status === 'interrupted')
    return [`no baseline is written: the run was ${judged.status === 'interrupted' ? 'interrupted' : 'not valid'}`];
  writeBaseline(file, baselineOf(judged));
  return [
    `baseline: ${file}`,
    ...(judged.verdict === 'fail' ? ['its gates fail: do you want to measure by this run?'] : []),
  ];
}

function readGates(file: string): GatesFile {
  try {
    return parseGatesFile(readFileSync(file, 'utf8'), file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw usageError(code === 'ENOENT' ? 'there is no such file' : `it cannot be read (${code})`, file);
  }
}

/** The lines are only to be pointed at: what has become of the scenario since is no matter. */
function ownGates(file: string): GatesFile {
  try {
    return parseGatesFile(readFileSync(file, 'utf8'), file);
  } catch {
    return { gates: [], variants: [] };
  }
}
