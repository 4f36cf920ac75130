/** The time series of one trial, gathered request by request from the record's rows and then brought together with its samples. */
import type { StoryEvent } from '../../analysis/story.js';
import type { RequestRow } from '../../record/read-requests.js';
import type { TrialRecord } from '../../record/run-record.js';
import { placeOf } from '../format.js';
import { type Binned, highest, newBins } from './bins.js';
import { bucketOf } from './latency-curves.js';
import { PER_DECADE, type VariantSeries } from './page-data.js';

/** A line of `series.ndjson` of type `sample`, as far as charts need it. */
export interface SeriesSample {
  timeMs: number;
  inUse: Record<string, number>;
  states: Record<string, Record<string, number>>;
}

/** Gathers requests. */
export interface SeriesGatherer {
  /** Takes up one request, in any order. */
  add(row: RequestRow): void;
  /** The series in at most so many bins. */
  finish(around: SeriesSurroundings): VariantSeries;
}

/** What else the series of a trial is made of. */
export interface SeriesSurroundings {
  variant: string;
  trial: number;
  /** Undefined where it was cut short. */
  record: TrialRecord | undefined;
  samples: SeriesSample[];
  events: StoryEvent[];
  mostBins: number;
}

const DUE = 'due';
const COMPLETED = 'completed';
/** Columns of the heat map: more would be thinner than a person can tell apart. */
const MOST_COLUMNS = 160;
/** Pools and hosts that a chart shows: the fullest. */
const MOST_POOLS = 8;
const MOST_NODES = 12;

/** Nothing gathered yet. */
export function newSeries(): SeriesGatherer {
  const bins = newBins();
  const causes = new Map<string, string>();
  let lastMs = 0;
  return {
    add(row) {
      bins.add(DUE, row.dueMs);
      lastMs = Math.max(lastMs, row.doneMs ?? row.dueMs);
      if (row.state === 'completed' && row.doneMs !== null) {
        bins.add(COMPLETED, row.doneMs);
        bins.add(bucketOf((row.doneMs - row.dueMs) * 1000), row.doneMs);
      }
      if (row.state !== 'dropped') return;
      const label = lossLabel(row);
      causes.set(label, row.cause ?? 'undecided');
      bins.add(`lost ${label}`, row.lastTryMs ?? row.dueMs);
    },
    finish({ variant, trial, record, samples, events, mostBins }) {
      const binned = bins.take(mostBins, Math.max(lastMs, samples.at(-1)?.timeMs ?? 0));
      const none: number[] = Array(binned.bins).fill(0);
      const drops = [...causes].map(([label, cause]) => ({
        label,
        cause,
        values: binned.counts.get(`lost ${label}`) ?? none,
      }));
      return {
        name: variant,
        trial,
        binS: binned.widthMs / 1000,
        bins: binned.bins,
        due: binned.counts.get(DUE) ?? none,
        completed: binned.counts.get(COMPLETED) ?? none,
        drops: drops.sort((a, b) => sum(b.values) - sum(a.values)),
        pools: poolsOf(record, samples, binned),
        states: statesOf(samples, binned),
        heat: heatOf(binned),
        events: events.flatMap(({ timeMs, event }) => (timeMs === null ? [] : [{ atS: timeMs / 1000, text: event }])),
      };
    },
  };
}

/** `ports-exhausted@edge`, with what it follows from. */
export function lossLabel({ cause, at, because }: Pick<RequestRow, 'cause' | 'at' | 'because'>): string {
  if (cause === null) return 'not decided';
  return placeOf({ cause, at: at ?? '', ...(because !== null && { because }) });
}

function poolsOf(record: TrialRecord | undefined, samples: SeriesSample[], binned: Binned): VariantSeries['pools'] {
  return Object.entries(record?.ports ?? {})
    .filter(([, { capacity, peak }]) => capacity > 0 && peak > 0)
    .sort(([, a], [, b]) => b.peakShare - a.peakShare)
    .slice(0, MOST_POOLS)
    .map(([node, { capacity }]) => ({
      node,
      capacity,
      inUse: highest(
        samples.flatMap(({ timeMs, inUse }) => (Object.hasOwn(inUse, node) ? [{ timeMs, value: inUse[node] }] : [])),
        binned,
      ),
    }));
}

function statesOf(samples: SeriesSample[], binned: Binned): VariantSeries['states'] {
  const most = new Map<string, Map<string, number>>();
  for (const { states } of samples) {
    for (const [node, counts] of Object.entries(states)) {
      const known = most.get(node) ?? new Map<string, number>();
      most.set(node, known);
      for (const [state, value] of Object.entries(counts)) known.set(state, Math.max(value, known.get(state) ?? 0));
    }
  }
  return [...most]
    .filter(([, states]) => [...states.values()].some((value) => value > 0))
    .slice(0, MOST_NODES)
    .map(([node, states]) => ({
      node,
      byState: [...states]
        .filter(([, value]) => value > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([state]) => ({
          state,
          values: highest(
            // Not every sample looks at every node: connection tables are long.
            samples.flatMap(({ timeMs, states: all }) =>
              Object.hasOwn(all, node) ? [{ timeMs, value: all[node][state] ?? 0 }] : [],
            ),
            binned,
          ),
        })),
    }));
}

function heatOf({ bins, counts }: Binned): VariantSeries['heat'] {
  const binsPerColumn = Math.ceil(bins / MOST_COLUMNS);
  const cells: number[] = [];
  for (const [bucket, values] of counts) {
    if (typeof bucket !== 'number') continue;
    for (let from = 0; from < bins; from += binsPerColumn) {
      const count = sum(values.slice(from, from + binsPerColumn));
      if (count > 0) cells.push(from / binsPerColumn, bucket, count);
    }
  }
  return { binsPerColumn, perDecade: PER_DECADE, cells };
}

const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
