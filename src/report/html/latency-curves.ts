/** A variant's latencies as curves: from its HdrHistogram logs, all trials merged; and second by second of one trial. */
import type { Histogram, JsHistogram } from 'hdr-histogram-js';
import type { LatencyKind } from '../../record/latency.js';
import { type LatencyCurve, PER_DECADE } from './page-data.js';

/** Points of a percentile curve from one power of ten to the next: 90 %, 99 %, 99.9 %. */
const POINTS_PER_DECADE = 10;

/** The curve of a histogram in µs. `maxMs` is the longest latency by itself: a histogram that was read knows only its bucket. */
export function curveOf(variant: string, kind: LatencyKind, histogram: Histogram, maxMs: number): LatencyCurve {
  const count = histogram.totalCount;
  return {
    variant,
    kind,
    count,
    percentiles: count === 0 ? [] : percentilesOf(histogram, maxMs),
    histogram: bucketsOf(histogram),
  };
}

function percentilesOf(histogram: Histogram, maxMs: number): [number, number][] {
  const count = histogram.totalCount;
  const points: [number, number][] = [];
  for (let step = 0; ; step++) {
    const oneOf = 10 ** (step / POINTS_PER_DECADE);
    if (oneOf >= count) break;
    const us = histogram.getValueAtPercentile((1 - 1 / oneOf) * 100);
    points.push([significant(oneOf), Math.min(maxMs, us / 1000)]);
  }
  points.push([Math.max(count, 1), maxMs]);
  return points;
}

/** Shares by bucket of equal width on a log scale. */
function bucketsOf(histogram: Histogram): [number, number][] {
  const counts = new Map<number, number>();
  // The library builds no other histograms than these; its interface leaves their counts out.
  const own = histogram as JsHistogram;
  for (let index = 0; index < own.countsArrayLength; index++) {
    const count = own.getCountAtIndex(index);
    if (count === 0) continue;
    const bucket = bucketOf(own.medianEquivalentValue(own.valueFromIndex(index)));
    counts.set(bucket, (counts.get(bucket) ?? 0) + count);
  }
  return [...counts]
    .sort(([a], [b]) => a - b)
    .map(([bucket, count]) => [
      significant(10 ** (bucket / PER_DECADE) / 1000),
      significant(count / histogram.totalCount),
    ]);
}

/** The bucket of a latency in µs; what is shorter than 1 µs counts as that. */
export function bucketOf(us: number): number {
  return Math.floor(Math.log10(Math.max(1, us)) * PER_DECADE);
}

/** Four digits are more than a chart can show. */
function significant(value: number): number {
  return Number(value.toPrecision(4));
}
