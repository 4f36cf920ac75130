/** The time series of one trial, gathered request by request from the record's rows and then brought together with its samples. */
import type { StoryEvent } from '../../analysis/story.js';
import type { RequestRow } from '../../record/read-requests.js';
import type { TrialRecord } from '../../record/run-record.js';
import { placeOf } from '../format.js';
import { type Binned, highest, newBins } from './bins.js';
import { bucketOf } from './latency-curves.js';
import { PER_DECADE, type VariantSeries } from './page-data.js';
import type { ToldTrial } from './report-data.js';

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
  /** The series in at most so many bins, and how much it leaves out. */
  finish(around: SeriesSurroundings): Pick<ToldTrial, 'series' | 'leftOut'>;
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
/** Pools that a chart shows, the fullest; and hosts, those with the most sockets. */
const MOST_POOLS = 8;
const MOST_HOSTS = 12;

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
      const pools = poolsOf(record);
      const hosts = hostsOf(samples);
      const series = {
        name: variant,
        trial,
        binS: binned.widthMs / 1000,
        bins: binned.bins,
        due: binned.counts.get(DUE) ?? none,
        completed: binned.counts.get(COMPLETED) ?? none,
        drops: drops.sort((a, b) => sum(b.values) - sum(a.values)),
        pools: pools.slice(0, MOST_POOLS).map((pool) => ({ ...pool, inUse: inUseOf(pool.node, samples, binned) })),
        states: hosts.slice(0, MOST_HOSTS).map(({ host, states }) => ({
          node: host,
          byState: states.map((state) => ({ state, values: inStateOf(host, state, samples, binned) })),
        })),
        heat: heatOf(binned),
        events: events.flatMap(({ timeMs, event }) => (timeMs === null ? [] : [{ atS: timeMs / 1000, text: event }])),
      };
      const leftOut = {
        pools: Math.max(0, pools.length - MOST_POOLS),
        hosts: Math.max(0, hosts.length - MOST_HOSTS),
      };
      return { series, leftOut };
    },
  };
}

/** `ports-exhausted@edge`, with what it follows from. */
export function lossLabel({ cause, at, because }: Pick<RequestRow, 'cause' | 'at' | 'because'>): string {
  if (cause === null) return 'not decided';
  return placeOf({ cause, at: at ?? '', ...(because !== null && { because }) });
}

/** Pools of which anything was in use, the fullest first. */
function poolsOf(record: TrialRecord | undefined): { node: string; capacity: number }[] {
  return Object.entries(record?.ports ?? {})
    .filter(([, { capacity, peak }]) => capacity > 0 && peak > 0)
    .sort(([, a], [, b]) => b.peakShare - a.peakShare)
    .map(([node, { capacity }]) => ({ node, capacity }));
}

function inUseOf(node: string, samples: SeriesSample[], binned: Binned): (number | null)[] {
  return highest(
    samples.flatMap(({ timeMs, inUse }) => (Object.hasOwn(inUse, node) ? [{ timeMs, value: inUse[node] }] : [])),
    binned,
  );
}

/** Hosts that had sockets, those with the most at once first; of each the states they were in, the most frequent first. */
function hostsOf(samples: SeriesSample[]): { host: string; states: string[] }[] {
  const known = new Map<string, { most: number; byState: Map<string, number> }>();
  for (const { states } of samples) {
    for (const [host, counts] of Object.entries(states)) {
      const own = known.get(host) ?? { most: 0, byState: new Map<string, number>() };
      known.set(host, own);
      own.most = Math.max(own.most, sum(Object.values(counts)));
      for (const [state, value] of Object.entries(counts))
        own.byState.set(state, Math.max(value, own.byState.get(state) ?? 0));
    }
  }
  return [...known]
    .filter(([, { most }]) => most > 0)
    .sort(([, a], [, b]) => b.most - a.most)
    .map(([host, { byState }]) => ({
      host,
      states: [...byState]
        .filter(([, value]) => value > 0)
        .sort(([, a], [, b]) => b - a)
        .map(([state]) => state),
    }));
}

function inStateOf(host: string, state: string, samples: SeriesSample[], binned: Binned): (number | null)[] {
  return highest(
    // Not every sample looks at every host: connection tables are long.
    samples.flatMap(({ timeMs, states }) =>
      Object.hasOwn(states, host) ? [{ timeMs, value: states[host][state] ?? 0 }] : [],
    ),
    binned,
  );
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
