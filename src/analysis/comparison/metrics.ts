/** What is compared: the metrics of gates (docs/gates.md), each with the direction that is better and the scale on which trials are averaged. */
import { usageError } from '../../errors.js';
import type { Measured, VariantRecord } from '../../record/run-record.js';
import { type GateMetric, GateSyntaxError, type GateUnit, parseMetric } from '../gate-expression.js';
import { observe } from '../observe-metric.js';

/** One metric of a comparison. */
export interface ComparedMetric {
  /** As a gate names it: `latency.response.p99`. */
  name: string;
  unit: GateUnit;
  /** null where neither is better. */
  better: 'less' | 'more' | null;
  /** `difference` of means; or `ratio` of geometric means, for latencies: their noise multiplies, and in a plain mean one stalled trial outweighs all others. */
  scale: 'difference' | 'ratio';
  /** A trial's value in its unit, null when nothing of the kind was measured. */
  valueOf(trial: Measured): number | null;
}

const PERCENTILES = ['p50', 'p90', 'p99', 'p999'];
/** Shortest latency that a histogram tells from 0, ms: what is below has no ratio. */
export const SHORTEST_MS = 0.001;

/**
 * All metrics worth comparing between these variants: requests lost, in all, as a share, and by each cause that any trial knew; completed;
 * tickets where they are sold; throughput; percentiles of both latencies; the share of each pool that was in use at its peak.
 */
function usualMetrics(variants: VariantRecord[]): string[] {
  const trials = variants.flatMap(({ perTrial }) => perTrial);
  const causes = trials.flatMap(({ requests }) => requests.byCause.map(({ cause, at }) => `dropped.${cause}@${at}`));
  const pools = trials.flatMap(({ ports }) => Object.keys(ports).map((node) => `ports.${node}.peak`));
  const sells = trials.some(({ tickets }) => tickets !== undefined);
  const latencies = ['connect', 'response'].flatMap((which) => PERCENTILES.map((stat) => `latency.${which}.${stat}`));
  return [
    'dropped',
    'droppedShare',
    ...[...new Set(causes)].sort(),
    'completed',
    ...(sells ? ['tickets.sold'] : []),
    'throughput',
    ...latencies,
    ...[...new Set(pools)].sort(),
  ];
}

/**
 * The metrics that were asked for: by their name, or by the beginning of several (`latency.response`); any metric of a gate will do.
 * Without a wish the usual ones.
 * @throws PortPartyError (exit 2) when there is no such metric
 */
export function chooseMetrics(variants: VariantRecord[], wanted: readonly string[]): ComparedMetric[] {
  const usual = usualMetrics(variants);
  const names = wanted.length === 0 ? usual : wanted.flatMap((name) => namesOf(name, usual));
  return [...new Set(names)].map(comparedMetric);
}

function namesOf(wanted: string, usual: string[]): string[] {
  if (usual.includes(wanted)) return [wanted];
  const begin = usual.filter((name) => name.startsWith(`${wanted}.`) || name.startsWith(`${wanted}@`));
  return begin.length > 0 ? begin : [wanted];
}

function comparedMetric(name: string): ComparedMetric {
  let metric: GateMetric;
  try {
    metric = parseMetric(name);
  } catch (error) {
    if (error instanceof GateSyntaxError) throw usageError(error.message, `--metric ${name}`, error.hint);
    throw error;
  }
  const unit = unitOf(metric);
  const scale = metric.kind === 'latency' ? 'ratio' : 'difference';
  return { name, unit, better: betterOf(metric), scale, valueOf: (trial) => observe({ metric, unit }, trial) };
}

/** Of a pool the share, so that pools of different sizes compare. */
function unitOf({ kind }: GateMetric): GateUnit {
  if (kind === 'latency') return 'ms';
  if (kind === 'throughput') return 'per-second';
  return kind === 'droppedShare' || kind === 'ports' ? 'share' : 'count';
}

function betterOf({ kind }: GateMetric): ComparedMetric['better'] {
  switch (kind) {
    case 'completed':
    case 'tickets.sold':
    case 'throughput':
      return 'more';
    case 'due':
    case 'attack':
      return null;
    default:
      return 'less';
  }
}
