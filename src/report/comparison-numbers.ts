/** The numbers of a comparison as short text: values, signed changes, intervals. */
import type { MetricComparison, Side } from '../analysis/comparison/comparison.js';
import type { GateUnit } from '../analysis/gate-expression.js';
import { count, ms, NOTHING, percent } from './format.js';

/** Behind a change that is no ratio. */
const UNITS: Record<GateUnit, string> = { count: '', ms: ' ms', share: ' points', 'per-second': '/s' };
/** From this factor on per cent are hard to read. */
const LARGE_FACTOR = 4;

/** One side's mean with its unit: `1,042 ms`, `159`, `36.9%`. */
export function sideValue({ mean }: Side, { unit }: MetricComparison): string {
  if (mean === null) return NOTHING;
  if (unit === 'ms') return `${ms(mean)} ms`;
  if (unit === 'share') return percent(mean);
  return unit === 'per-second' ? `${plain(mean)}/s` : plain(mean);
}

/** `−159`, `−12.3 points` (of per cent), `+4.1%` or `×6.2` (of a ratio). */
export function signedChange(metric: MetricComparison): string {
  return metric.change === null ? NOTHING : signed(metric.change, metric) + unitOf(metric);
}

/** `−159 (−171 … −150)`: the change with its interval, the unit told once. */
export function changeWithInterval(metric: MetricComparison): string {
  const { interval: ends } = metric;
  return ends === null
    ? signedChange(metric)
    : `${signedChange(metric)} (${ends.map((end) => signed(end, metric)).join(' … ')})`;
}

/** `−171 … −150`, as `signedChange`. */
export function interval(metric: MetricComparison): string {
  const { interval: ends } = metric;
  return ends === null ? NOTHING : `${signed(ends[0], metric)} … ${signed(ends[1], metric)}${unitOf(metric)}`;
}

/** `95%`. */
export function confidenceLevel(confidence: number): string {
  return `${Number((confidence * 100).toPrecision(6))}%`;
}

function signed(change: number, { scale, unit }: MetricComparison): string {
  if (scale === 'ratio') {
    if (change >= LARGE_FACTOR) return `×${plain(change)}`;
    return `${withSign((change - 1) * 100, (size) => size.toFixed(size < 99.95 ? 1 : 0))}%`;
  }
  if (unit === 'share') return withSign(change * 100, (size) => String(Number(size.toPrecision(3))));
  return withSign(change, plain);
}

/** A ratio has its sign of per cent with each number. */
function unitOf({ scale, unit }: MetricComparison): string {
  return scale === 'ratio' ? '' : UNITS[unit];
}

function withSign(value: number, digits: (size: number) => string): string {
  const text = digits(Math.abs(value));
  if (Number(text) === 0) return '0';
  return `${value < 0 ? '−' : '+'}${text}`;
}

function plain(value: number): string {
  return Math.abs(value) >= 100 ? count(value) : String(Number(value.toFixed(1)));
}
