/** Gates on measured numbers, and the verdict of a whole run. What was not measured never passes. */
import { usageError } from '../errors.js';
import type { GateResult, RunStatus, RunVerdict, VariantRecord } from '../record/run-record.js';
import { isRelative, parseGate } from './gate-expression.js';
import { type GateNumbers, observe } from './observe-metric.js';
import { evaluateRelative, holds } from './relative-gate.js';

/**
 * Evaluates one gate that compares with a number. `observed` is in the gate's own unit (shares from 0 to 1, latencies in ms, throughput
 * per second), null when nothing of the kind was measured: such a gate fails, whatever it asks for.
 * @throws GateSyntaxError when the gate cannot be read
 * @throws PortPartyError (exit 2) when it compares with a baseline: `gateRun` does that
 */
export function evaluateGate(gate: string, measured: GateNumbers): GateResult {
  const expression = parseGate(gate);
  if (isRelative(expression)) throw needsBaseline(gate);
  const observed = observe(expression, measured);
  return {
    gate,
    observed,
    pass: observed !== null && holds(observed, expression.operator, expression.value),
  };
}

/**
 * Evaluates the gates of a variant: those with a number on all its trials together, those on a baseline on the trials' values.
 * `baseline` has the trials of the same variant; without it the relative gates are only named, in `skippedGates`.
 * @throws GateSyntaxError when a gate cannot be read
 */
export function evaluateGates(
  gates: string[],
  variant: GateNumbers & { perTrial: GateNumbers[] },
  baseline: GateNumbers[] | undefined,
): Pick<VariantRecord, 'gates' | 'skippedGates'> {
  const results: GateResult[] = [];
  const skippedGates: string[] = [];
  for (const gate of gates) {
    const expression = parseGate(gate);
    if (!isRelative(expression)) results.push(evaluateGate(gate, variant));
    else if (baseline === undefined) skippedGates.push(gate);
    else results.push(evaluateRelative(gate, expression, variant.perTrial, baseline));
  }
  return { gates: results, ...(skippedGates.length === 0 ? {} : { skippedGates }) };
}

/** A gate that compares with a baseline, where there is none. */
export function needsBaseline(gate: string): Error {
  return usageError(
    'the gate compares with a baseline, and none is named',
    gate,
    'name a run or a file with --baseline; --save-baseline makes the file',
  );
}

/**
 * The verdict of a run: `invalid` when a variant's measurement is (even if its gates hold), or when nothing was measured;
 * `fail` when a gate fails; `pass` when there are gates and all hold; else `none`.
 * An interrupted run has not shown that its gates hold, so it never passes.
 */
export function verdictOf(variants: VariantRecord[], status: RunStatus): RunVerdict {
  const interrupted = status === 'interrupted';
  // What an interruption kept from running is no fault of it; judge what ran.
  const ran = interrupted ? variants.filter((variant) => variant.trials > 0) : variants;
  if (ran.length === 0) return interrupted ? 'none' : 'invalid';
  if (ran.some((variant) => !variant.validity.valid || variant.requests.due === 0)) return 'invalid';
  const gates = ran.flatMap((variant) => variant.gates);
  if (gates.some((gate) => !gate.pass)) return 'fail';
  return gates.length === 0 || interrupted ? 'none' : 'pass';
}
