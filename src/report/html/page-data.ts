/** What the script of a page draws from: bounded series of numbers, embedded as JSON. Plain types, for both sides of the page. */

/** Everything that the charts of one run show. */
export interface PageData {
  /** One per variant that is told, in the record's order. */
  variants: VariantSeries[];
  /** Latencies of each variant over all its trials. */
  curves: LatencyCurve[];
}

/** The time series of one trial. All lists have `bins` values, one per bin; a bin's count is what happened in it, other values its highest. */
export interface VariantSeries {
  name: string;
  trial: number;
  /** Width of a bin, s. */
  binS: number;
  bins: number;
  /** Requests planned, and answered, per bin. */
  due: number[];
  completed: number[];
  /** Requests lost, at the moment of their last try; `label` is `cause@node`, with what it follows from. */
  drops: { label: string; cause: string; values: number[] }[];
  /** Ports in use towards the busiest destination; null where no sample was taken yet. */
  pools: { node: string; capacity: number; inUse: (number | null)[] }[];
  /** Sockets by TCP state, by node. */
  states: { node: string; byState: { state: string; values: (number | null)[] }[] }[];
  heat: HeatGrid;
  events: { atS: number; text: string }[];
}

/** How many responses took how long, over time. */
export interface HeatGrid {
  /** Bins of the time axis in one column. */
  binsPerColumn: number;
  /** Bucket `b` reaches from `10^(b / perDecade)` to `10^((b + 1) / perDecade)` µs. */
  perDecade: number;
  /** Column, bucket, count; again and again. */
  cells: number[];
}

/** One latency of one variant. */
export interface LatencyCurve {
  variant: string;
  kind: 'connect' | 'response';
  /** Requests measured. */
  count: number;
  /** `[1 / (1 - q), ms]`: 1 of so many requests took longer than this; q rises. */
  percentiles: [number, number][];
  /** Lower end of a bucket in ms, and its share of all requests; buckets as `perDecade` of `HeatGrid`, empty ones left out. */
  histogram: [number, number][];
}

/** Buckets of a decade of latencies, in the heat map and in the histograms. */
export const PER_DECADE = 8;
