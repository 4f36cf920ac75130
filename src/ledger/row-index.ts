/** Finds rows of a table of columns by a number, with five or six bytes per row: a Map would take ten times as much. */

/** The rows of each bucket lie side by side, in their order; a bucket holds the rows of several keys. */
export interface RowIndex {
  /** Where each bucket's rows begin in `rows`; one more than there are buckets. */
  starts: Uint32Array;
  rows: Uint32Array;
  /** How far a mixed key is shifted to make a bucket's number. */
  shift: number;
}

/** Rows that share a bucket: so many at most, half as many at least, on average. */
const ROWS_PER_BUCKET = 4;
/** 2^32 over the golden ratio: spreads keys that follow each other over all buckets (Knuth, TAOCP 6.4). */
export const SPREAD = 0x9e37_79b1;

/** Instead of a key: a row that no question asks for. No integer of 32 bits is it. */
export const NO_KEY = 2 ** 32;

/** Indexes the rows `0 … length - 1` by their key, an integer of 32 bits, or `NO_KEY`. */
export function rowIndex(length: number, keyOf: (row: number) => number): RowIndex {
  // Only as much of it as there are rows with a key is ever touched, and takes memory.
  const chosen = new Uint32Array(length);
  let kept = 0;
  for (let row = 0; row < length; row++) if (keyOf(row) !== NO_KEY) chosen[kept++] = row;
  const bits = Math.max(1, Math.ceil(Math.log2(Math.max(1, kept / ROWS_PER_BUCKET))));
  const shift = 32 - bits;
  const starts = new Uint32Array(2 ** bits + 1);
  for (let at = 0; at < kept; at++) starts[Math.imul(keyOf(chosen[at]), SPREAD) >>> shift]++;
  let end = 0;
  for (let bucket = 0; bucket < starts.length; bucket++) {
    end += starts[bucket];
    starts[bucket] = end;
  }
  // From the last row to the first, each to the end of what is left of its bucket: rows stay in their order.
  const rows = new Uint32Array(kept);
  for (let at = kept - 1; at >= 0; at--) rows[--starts[Math.imul(keyOf(chosen[at]), SPREAD) >>> shift]] = chosen[at];
  return { starts, rows, shift };
}

/** The part of `rows` in which the rows of this key are, among others. */
export function bucketOf({ starts, shift }: RowIndex, key: number): [from: number, to: number] {
  const bucket = Math.imul(key, SPREAD) >>> shift;
  return [starts[bucket], starts[bucket + 1]];
}
