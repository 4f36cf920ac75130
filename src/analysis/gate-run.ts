/** Gates again on the record of a run: its own or others, all variants or some, with a baseline or without. */
import { type PortPartyError, usageError } from '../errors.js';
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { namesVariant } from '../scenario/matrix.js';
import { type Baseline, checkBaseline, noteOf } from './baseline.js';
import { evaluateGates, needsBaseline, verdictOf } from './evaluate-gates.js';
import { GateSyntaxError, isRelative, nodesNamed, parseGate } from './gate-expression.js';
import { nearest } from './nearest.js';

/** A gate, for all variants or for some. */
export type GateFor = string | { gate: string; variants?: string[] };

/** What is evaluated, all of it optional. */
export interface GateOptions {
  /** These instead of the record's own. */
  gates?: GateFor[];
  /** Only these variants; they alone decide the verdict. */
  variants?: string[];
  /** What gates such as `dropped <= baseline` are held against. */
  baseline?: Baseline;
  /** Without a baseline, relative gates are left out and named in `skippedGates`, instead of being refused. */
  skipRelative?: boolean;
}

/**
 * The record with these gates evaluated in place of its own, and the verdict that follows from them.
 * @throws PortPartyError (exit 2) when a gate cannot be read, names a node or a variant that is not there, or compares with a baseline
 * that is missing or not of this scenario and driver
 */
export function gateRun(record: RunRecord, options: GateOptions = {}): RunRecord {
  const { baseline } = options;
  const names = record.variants.map(({ name }) => name);
  const chosen = options.variants?.length ? options.variants : names;
  const given = options.gates?.map((gate) => (typeof gate === 'string' ? { gate } : gate));
  for (const name of [...chosen, ...(given ?? []).flatMap(({ variants = [] }) => variants)])
    checkVariant(name, names, record.id);

  const asked = record.variants
    .filter(({ name }) => chosen.some((wanted) => namesVariant(wanted, name)))
    .map((variant) => ({ variant, gates: given === undefined ? ownGates(variant) : gatesFor(given, variant.name) }));
  const relative = asked.filter(({ variant, gates }) => checkGates(gates, variant, options));
  if (baseline !== undefined)
    checkBaseline(
      baseline,
      record,
      relative.map(({ variant }) => variant.name),
    );

  const variants = asked.map(({ variant, gates }): VariantRecord => {
    const { skippedGates: _, ...rest } = variant;
    return { ...rest, ...evaluateGates(gates, variant, baseline?.variants[variant.name]) };
  });
  const { baseline: _, ...rest } = record;
  const judged: RunRecord = { ...rest, variants, verdict: verdictOf(variants, record.status) };
  return baseline === undefined ? judged : { ...judged, baseline: noteOf(baseline, judged) };
}

function ownGates({ gates, skippedGates = [] }: VariantRecord): string[] {
  return [...gates.map(({ gate }) => gate), ...skippedGates];
}

function gatesFor(given: { gate: string; variants?: string[] }[], variant: string): string[] {
  return given
    .filter(({ variants }) => variants?.some((wanted) => namesVariant(wanted, variant)) ?? true)
    .map(({ gate }) => gate);
}

function checkVariant(name: string, names: string[], run: string): void {
  if (names.some((variant) => namesVariant(name, variant))) return;
  const close = nearest(name, names);
  const hint = close === undefined ? `it has ${names.join(', ') || 'none'}` : `did you mean ${close}?`;
  throw usageError(`the run has no variant "${name}"`, run, hint);
}

/** Refuses what is wrong with the gates of a variant; true when one of them compares with a baseline. */
function checkGates(gates: string[], variant: VariantRecord, { baseline, skipRelative }: GateOptions): boolean {
  const relative = gates.filter((gate) => {
    const expression = read(gate);
    const stranger = nodesNamed(expression).find((node) => variant.nodes?.includes(node) === false);
    if (stranger !== undefined) throw noNode(gate, stranger, variant);
    return isRelative(expression);
  });
  if (relative.length > 0 && baseline === undefined && !skipRelative) throw needsBaseline(relative[0]);
  return relative.length > 0;
}

function read(gate: string) {
  try {
    return parseGate(gate);
  } catch (error) {
    if (!(error instanceof GateSyntaxError)) throw error;
    throw usageError(`${error.message} (column ${error.column})`, `gate "${gate}"`, error.hint);
  }
}

function noNode(gate: string, node: string, { name, nodes = [] }: VariantRecord): PortPartyError {
  const close = nearest(node, nodes);
  return usageError(
    `there is no node ${node} in variant ${name}`,
    `gate "${gate}"`,
    close === undefined ? `nodes are: ${nodes.join(', ')}` : `did you mean ${close}?`,
  );
}
