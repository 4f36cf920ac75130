/** Latencies of a trial as HdrHistograms in µs, their summary in ms, and their `.hlog` text. */
import { build, type Histogram, HistogramLogWriter } from 'hdr-histogram-js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import type { LatencySummary } from './run-record.js';

/** `connect`: until the handshake was done; `response`: until the whole response was there. Both from the planned time. */
export const LATENCY_KINDS = ['connect', 'response'] as const;
/** One of `LATENCY_KINDS`; also the end of an `.hlog` file's name. */
export type LatencyKind = (typeof LATENCY_KINDS)[number];
/** Both histograms of one trial or of several, values in µs. */
export type LatencyHistograms = Record<LatencyKind, Histogram>;

/** Longest latency that a histogram holds, one hour in µs; longer ones count as this. */
const LONGEST_US = 3_600_000_000;
const NS_PER_SECOND = 1e9;

/** An empty histogram: 1 µs to 1 h, three significant digits, plain JavaScript. */
export function newHistogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 3,
    autoResize: false,
    useWebAssembly: false,
  });
}

/**
 * The latency of one request in µs, NaN where it has none: connect latency only for a request that opened a connection
 * and got it, response latency only for a completed one. Planned time is `dueNs`, retries included: that is what the visitor waited.
 */
function latencyUs(outcomes: Outcomes, row: number, kind: LatencyKind): number {
  const end = endNs(outcomes, row, kind);
  return Math.min(LONGEST_US, Math.max(0, Math.round((end - outcomes.dueNs[row]) / 1000)));
}

/** Both histograms over all requests of a trial. */
export function latencyHistograms(outcomes: Outcomes): LatencyHistograms {
  const histograms = { connect: newHistogram(), response: newHistogram() };
  for (const kind of LATENCY_KINDS) recordAll(histograms[kind], latenciesBySecond(outcomes, kind).values);
  return histograms;
}

/** Those of one kind by the second of the run in which they ended: of second `n` those from `starts[n]` to before `starts[n + 1]`. */
function latenciesBySecond(outcomes: Outcomes, kind: LatencyKind): { values: Uint32Array; starts: Uint32Array } {
  const secondOf = (row: number) => Math.floor(endNs(outcomes, row, kind) / NS_PER_SECOND);
  let last = -1;
  for (let row = 0; row < outcomes.rows; row++) {
    const second = secondOf(row);
    if (second > last) last = second;
  }
  const starts = new Uint32Array(last + 2);
  for (let row = 0; row < outcomes.rows; row++) {
    const second = secondOf(row);
    if (second >= 0) starts[second + 1]++;
  }
  for (let second = 0; second <= last; second++) starts[second + 1] += starts[second];
  const next = starts.slice();
  const values = new Uint32Array(starts[last + 1]);
  for (let row = 0; row < outcomes.rows; row++) {
    const second = secondOf(row);
    if (second >= 0) values[next[second]++] = latencyUs(outcomes, row, kind);
  }
  return { values, starts };
}

/** Sorts the values and records each once, as often as it occurs: looking up a value's place costs most of recording it. */
function recordAll(histogram: Histogram, values: Uint32Array): void {
  values.sort();
  for (let at = 0; at < values.length; ) {
    const from = at;
    while (at < values.length && values[at] === values[from]) at++;
    histogram.recordValueWithCount(values[from], at - from);
  }
}

/** The sum of several trials' histograms. */
export function mergeHistograms(parts: LatencyHistograms[]): LatencyHistograms {
  const merged = { connect: newHistogram(), response: newHistogram() };
  for (const part of parts) for (const kind of LATENCY_KINDS) merged[kind].add(part[kind]);
  return merged;
}

/** Percentiles, maximum and mean in ms; all 0 with a count of 0 where nothing was recorded. */
export function summariseLatency(histogram: Histogram): LatencySummary {
  const count = histogram.totalCount;
  const max = histogram.maxValue;
  // A bucket's upper end may lie above the largest value in it.
  const at = (percentile: number) =>
    count === 0 ? 0 : Math.min(max, histogram.getValueAtPercentile(percentile)) / 1000;
  return {
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: max / 1000,
    mean: count === 0 ? 0 : Number((histogram.mean / 1000).toFixed(3)),
    count,
  };
}

/** What an HdrHistogram log holds beside the values. */
export interface LatencyLogInfo {
  /** Unix time of the run's start, ms. */
  startedAtMs: number;
  /** Every interval's tag; the log format allows no comma and no space in it. */
  tag: string;
}

/**
 * An HdrHistogram log (format 1.3): one interval per second of the run in which something ended, values in µs,
 * `Interval_Max` in ms. Seconds without a value are left out, as the format allows. With it the histogram of all of them, what
 * `latencyHistograms` gives, for next to nothing.
 */
export function latencyLog(
  outcomes: Outcomes,
  kind: LatencyKind,
  info: LatencyLogInfo,
): { text: string; histogram: Histogram } {
  const parts: string[] = [];
  const writer = new HistogramLogWriter((text) => parts.push(text));
  writer.outputComment(`[${kind} latency from the planned time, values in microseconds]`);
  writer.outputLogFormatVersion();
  // The writer's own outputStartTime() leaves an empty line behind it, at which some readers stop.
  const start = new Date(info.startedAtMs);
  writer.outputComment(
    `[StartTime: ${(info.startedAtMs / 1000).toFixed(3)} (seconds since epoch), ${start.toUTCString()}]`,
  );
  writer.outputLegend();
  // One for all seconds: a histogram takes a hundred kilobytes.
  const second = newHistogram();
  const whole = newHistogram();
  const { values, starts } = latenciesBySecond(outcomes, kind);
  for (let number = 0; number + 1 < starts.length; number++) {
    const ended = values.subarray(starts[number], starts[number + 1]);
    if (ended.length === 0) continue;
    second.reset();
    second.tag = info.tag.replace(/[\s,]+/g, '-');
    recordAll(second, ended);
    writer.outputIntervalHistogram(second, number, number + 1);
    whole.add(second);
  }
  return { text: parts.join(''), histogram: whole };
}

function endNs(outcomes: Outcomes, row: number, kind: LatencyKind): number {
  if (kind === 'response') return outcomes.state[row] === RequestState.completed ? outcomes.doneNs[row] : Number.NaN;
  // A connection that was open already has no `connectNs`.
  return Number.isNaN(outcomes.connectNs[row]) ? Number.NaN : outcomes.connectedNs[row];
}
