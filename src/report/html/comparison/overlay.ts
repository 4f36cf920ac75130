/** Lays the time series of the same variant in several runs over each other, in a bounded number of bins. */
import type { RunCourse } from '../read-report.js';
import type { Overlay, OverlayLine } from './overlay-data.js';

/** What is told of a run, with its place. */
export interface ToldRun {
  run: number;
  told: ToldSeries[];
}

type ToldSeries = RunCourse['told'][number];

/** Bins of a line. */
const MOST_BINS = 400;

/** The overlay of one variant. */
export function overlayOf(variant: string, runs: ToldRun[]): Overlay {
  const own = runs.flatMap(({ run, told }) => {
    const trial = told.find((one) => one.variant === variant);
    return trial === undefined ? [] : [{ run, trial }];
  });
  const pool = fullestPool(own.map(({ trial }) => trial));
  return {
    variant,
    ...(pool !== undefined && { pool }),
    lines: own.map(({ run, trial }) => lineOf(run, trial, pool)),
  };
}

/** One pool for all runs, so that they compare. */
function fullestPool(trials: ToldSeries[]): string | undefined {
  const shares = new Map<string, number>();
  for (const { series } of trials) {
    for (const { node, capacity, inUse } of series.pools) {
      const most = inUse.reduce<number>((highest, value) => Math.max(highest, value ?? 0), 0) / capacity;
      shares.set(node, Math.max(shares.get(node) ?? 0, most));
    }
  }
  return [...shares].sort(([, a], [, b]) => b - a)[0]?.[0];
}

function lineOf(run: number, { trial, series }: ToldSeries, pool: string | undefined): OverlayLine {
  const joined = Math.max(1, Math.ceil(series.bins / MOST_BINS));
  const lost = series.due.map((_, bin) => series.drops.reduce((sum, { values }) => sum + values[bin], 0));
  const own = series.pools.find(({ node }) => node === pool);
  return {
    run,
    trial,
    binS: series.binS * joined,
    due: groups(series.due, joined).map(sum),
    lost: groups(lost, joined).map(sum),
    share: own === undefined ? [] : groups(own.inUse, joined).map((values) => highest(values, own.capacity)),
  };
}

function groups<Value>(values: Value[], size: number): Value[][] {
  return Array.from({ length: Math.ceil(values.length / size) }, (_, group) =>
    values.slice(group * size, (group + 1) * size),
  );
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);

function highest(values: (number | null)[], capacity: number): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Number((Math.max(...known) / capacity).toFixed(4));
}
