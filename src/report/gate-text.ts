/** What a gate saw and what it was held against, as words for people, the same in every report. */
import { type GateExpression, isRelative, parseGate } from '../analysis/gate-expression.js';
import type { GateResult, RunRecord, VariantRecord } from '../record/run-record.js';
import { explainDifference } from './difference.js';
import { count, ms, percent } from './format.js';

/** Why a relative gate was neither held nor broken. */
export const SKIPPED = 'skipped: it compares with a baseline, and none is named (--baseline)';

/** What a gate saw, in the unit that the gate is written in, or that it saw nothing. */
export function observed({ gate, observed: value, baseline }: GateResult): string {
  if (value === null) return 'not measured';
  const expression = parsed(gate);
  // Beside a bound that is only a little away, rounded numbers would look equal.
  if (baseline !== undefined) return digits(value, expression);
  switch (expression?.unit) {
    case 'ms':
      return `${ms(value)} ms`;
    case 'share':
      return percent(value);
    case 'per-second':
      return `${Number(value.toFixed(1))}/s`;
    default:
      return count(value);
  }
}

/** What a relative gate was held against, and how; empty for other gates. */
export function against({ gate, observed: value, pass, baseline }: GateResult): string {
  if (baseline === undefined) return '';
  const { trials, p } = baseline;
  if (baseline.value === null || baseline.bound === null) return 'the baseline measured nothing of the kind';
  const expression = parsed(gate);
  const then = digits(baseline.value, expression);
  const bound = baseline.bound === baseline.value ? then : `${then}, bound ${digits(baseline.bound, expression)}`;
  const sizes = `${trials.run} against ${trials.baseline} trials`;
  if (value === null) return `baseline ${bound}`;
  if (p === undefined)
    return `baseline ${bound}; ${trials.run + trials.baseline === 2 ? 'one trial each' : sizes}, too few for a test: plainly compared`;
  const beyond =
    pass && expression !== undefined && isRelative(expression) && isBeyond(value, expression, baseline.bound);
  const shown = beyond
    ? `beyond it, but ${sizes} do not show that it is more than chance (permutation test, p = ${pText(p)})`
    : `${sizes}, permutation test, p = ${pText(p)}`;
  return `baseline ${bound}; ${shown}`;
}

/** `18 ms (baseline 16 ms, bound 17.6 ms; …)`. */
export function observedAgainst(gate: GateResult): string {
  const behind = against(gate);
  return behind === '' ? observed(gate) : `${observed(gate)}; ${behind}`;
}

/** Why a variant lost or delayed requests, as a sentence; empty where it did not. */
export function causesOf(record: RunRecord, variant: VariantRecord): string {
  const { dropped, delayed } = variant.requests;
  return dropped === 0 && delayed.length === 0 ? '' : explainDifference({ ...record, variants: [variant] });
}

function isBeyond(value: number, { operator }: GateExpression, bound: number): boolean {
  if (operator === '==') return value !== bound;
  return operator === '<' || operator === '<=' ? value > bound : value < bound;
}

/** Four digits that matter. */
function digits(value: number, expression: GateExpression | undefined): string {
  const rounded = (number: number) =>
    Number(number.toPrecision(4)).toLocaleString('en-US', { maximumFractionDigits: 6 });
  const exact = Number.isInteger(value) ? value.toLocaleString('en-US') : rounded(value);
  switch (expression?.unit) {
    case 'ms':
      return `${exact} ms`;
    case 'share':
      return `${rounded(value * 100)}%`;
    case 'per-second':
      return `${exact}/s`;
    default:
      return exact;
  }
}

function pText(p: number): string {
  return p < 0.001 ? p.toExponential(1) : String(Number(p.toPrecision(2)));
}

/** A record from another version may hold gates that this one can't read; the number stands for itself then. */
function parsed(gate: string): GateExpression | undefined {
  try {
    return parseGate(gate);
  } catch {
    return undefined;
  }
}
