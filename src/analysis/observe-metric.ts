/** Where in the measured numbers a gate's metric is. What was not measured is null, which never passes. */
import type { AttackReport } from '../attacks/report.js';
import type { CauseCount, LatencySummary, Measured } from '../record/run-record.js';
import type { AttackNumber, GateExpression, GateMetric } from './gate-expression.js';

/** The measured numbers that gates can name: those of a variant, of one of its trials, or of a baseline's. */
export interface GateNumbers {
  requests: {
    due: number;
    completed: number;
    dropped: number;
    attempts: number;
    byCause: Omit<CauseCount, 'evidence'>[];
    delayed: Omit<CauseCount, 'evidence'>[];
  };
  tickets?: { sold: number };
  /** ms; the record of a run has null where nothing was measured. */
  latency: { connect: LatencySummary; response: LatencySummary };
  throughput: Measured['throughput'];
  ports: Measured['ports'];
  attackers?: Record<string, Pick<AttackReport, AttackNumber>>;
}

/** The metric of a gate, in its unit; null when nothing of the kind was measured. */
export function observe(
  { metric, unit }: Pick<GateExpression, 'metric' | 'unit'>,
  measured: GateNumbers,
): number | null {
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

function total<Entry extends { count: number }>(entries: Entry[], counts: (entry: Entry) => boolean): number {
  return entries.reduce((sum, entry) => sum + (counts(entry) ? entry.count : 0), 0);
}

/** A record from elsewhere may hold null or NaN where nothing was measured. */
function number(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
