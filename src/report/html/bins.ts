/** Counts over time in a bounded number of bins, whose width grows with the time that they have to cover. */

/** Counts by series, all over the same bins. */
export interface Bins {
  /** Counts one more of a series at a moment, ms. */
  add(series: string | number, atMs: number): void;
  /** What was counted, in at most so many bins; `untilMs` are covered in any case. */
  take(most: number, untilMs: number): Binned;
}

/** What was counted. */
export interface Binned {
  widthMs: number;
  bins: number;
  counts: Map<string | number, number[]>;
}

/** The narrowest bin, ms: the time series has ten samples a second. */
const NARROWEST_MS = 100;
/** Bins that are kept while counting. */
const MOST_KEPT = 4096;

/** Nothing counted yet. */
export function newBins(): Bins {
  const counts = new Map<string | number, number[]>();
  let widthMs = NARROWEST_MS;
  const widen = () => {
    widthMs *= 2;
    for (const [series, values] of counts) counts.set(series, joined(values, 2));
  };
  return {
    add(series, atMs) {
      while (atMs >= MOST_KEPT * widthMs) widen();
      let values = counts.get(series);
      if (values === undefined) {
        values = [];
        counts.set(series, values);
      }
      const bin = Math.max(0, Math.floor(atMs / widthMs));
      while (values.length <= bin) values.push(0);
      values[bin]++;
    },
    take(most, untilMs) {
      const longest = Math.max(1, Math.ceil(untilMs / widthMs), ...[...counts.values()].map(({ length }) => length));
      const factor = Math.ceil(longest / most);
      const bins = Math.ceil(longest / factor);
      const taken = [...counts].map(([series, values]): [string | number, number[]] => [
        series,
        filled(joined(values, factor), bins),
      ]);
      return { widthMs: widthMs * factor, bins, counts: new Map(taken) };
    },
  };
}

/** Sums of so many neighbours each. */
function joined(values: number[], factor: number): number[] {
  const sums: number[] = Array(Math.ceil(values.length / factor)).fill(0);
  values.forEach((value, index) => {
    sums[Math.floor(index / factor)] += value;
  });
  return sums;
}

function filled(values: number[], length: number): number[] {
  return values.length === length ? values : [...values, ...Array(length - values.length).fill(0)];
}

/**
 * The highest value of each bin; a bin without a sample has that of the one before, and null before the first sample and behind the last one.
 * Samples are in the order of their time.
 */
export function highest(
  samples: { timeMs: number; value: number }[],
  { widthMs, bins }: Pick<Binned, 'widthMs' | 'bins'>,
): (number | null)[] {
  const values: (number | null)[] = Array(bins).fill(null);
  for (const { timeMs, value } of samples) {
    const bin = Math.max(0, Math.floor(timeMs / widthMs));
    if (bin < bins) values[bin] = Math.max(value, values[bin] ?? value);
  }
  const last = values.findLastIndex((value) => value !== null);
  for (let bin = 1; bin <= last; bin++) values[bin] ??= values[bin - 1];
  return values;
}
