/** Gates on measured numbers, and the verdict of a whole run. What was not measured never passes. */
import type { CauseCount, GateResult, Measured, RunStatus, RunVerdict, VariantRecord } from '../record/run-record.js';
import { type GateExpression, type GateMetric, type Operator, parseGate } from './gate-expression.js';

/**
 * Evaluates one gate. `observed` is in the gate's own unit (shares from 0 to 1, latencies in ms, throughput per second),
 * null when nothing of the kind was measured: such a gate fails, whatever it asks for.
 * @throws GateSyntaxError when the gate cannot be read
 */
export function evaluateGate(gate: string, measured: Measured): GateResult {
  const expression = parseGate(gate);
  const observed = observe(expression, measured);
  return {
    gate,
    observed,
    pass: observed !== null && compare(observed, expression.operator, expression.value),
  };
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

/** The number that a metric stands for, in its unit; null when nothing of the kind was measured. */
export function observe({ metric, unit }: Pick<GateExpression, 'metric' | 'unit'>, measured: Measured): number | null {
  const { requests } = measured;
  // Nothing came due, nothing was measured: even `dropped == 0` must not hold.
  if (requests.due === 0) return null;
  switch (metric.kind) {
    case 'dropped':
      // Without cause and node, the ledger's own total, so that a hole in the attribution can't hide a loss.
      return metric.cause === undefined && metric.at === undefined
        ? requests.dropped
        : total(requests.byCause, (entry) => matches(entry, metric));
    case 'delayed':
      return total(requests.delayed, (entry) => matches(entry, metric));
    case 'rooted':
      return total(
        requests.byCause,
        (entry) => matches(entry, metric) || (entry.because !== undefined && matches(entry.because, metric)),
      );
    case 'droppedShare':
      return number(requests.dropped / requests.due);
    case 'completed':
    case 'due':
    case 'attempts':
      return requests[metric.kind];
    case 'tickets.sold':
      return measured.tickets === undefined ? null : measured.tickets.sold;
    case 'throughput':
      return number(measured.throughput.completedPerSecond);
    case 'latency': {
      const summary = measured.latency[metric.which];
      return summary.count === 0 ? null : number(summary[metric.stat]);
    }
    case 'attack': {
      const report =
        measured.attackers !== undefined && Object.hasOwn(measured.attackers, metric.node)
          ? measured.attackers[metric.node]
          : undefined;
      if (report === undefined) return null;
      if (metric.what === 'open') return report.open.length;
      if (metric.what === 'found') return report.found === undefined ? 0 : 1;
      return report[metric.what];
    }
    case 'ports': {
      if (!Object.hasOwn(measured.ports, metric.node)) return null;
      const pool = measured.ports[metric.node];
      return number(unit === 'share' ? pool.peakShare : pool.peak);
    }
  }
}

function matches(
  entry: { cause: string; at: string },
  metric: Extract<GateMetric, { kind: 'dropped' | 'delayed' | 'rooted' }>,
): boolean {
  return (metric.cause ?? entry.cause) === entry.cause && (metric.at ?? entry.at) === entry.at;
}

function total<Entry extends Omit<CauseCount, 'evidence'>>(
  entries: Entry[],
  counts: (entry: Entry) => boolean,
): number {
  return entries.reduce((sum, entry) => sum + (counts(entry) ? entry.count : 0), 0);
}

/** A record from elsewhere may hold null or NaN where nothing was measured. */
function number(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function compare(observed: number, operator: Operator, value: number): boolean {
  switch (operator) {
    case '==':
      return observed === value;
    case '!=':
      return observed !== value;
    case '<':
      return observed < value;
    case '<=':
      return observed <= value;
    case '>':
      return observed > value;
    case '>=':
      return observed >= value;
  }
}
