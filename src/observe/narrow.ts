/** Columns that are written no more, made narrow without losing anything: a run of a million requests has eight million segments. */

/** Rising times of whole nanoseconds: 32 bits of each, and the time from which they count, whenever that has to change. */
export interface NarrowTimes {
  low: Uint32Array;
  /** Rows from which on the next of `bases` holds. */
  turns: Uint32Array;
  bases: Float64Array;
}

/** Numbers of places in a list, as narrow as its length allows. */
export type Places = Uint8Array | Uint16Array | Uint32Array;

const MOST_LOW = 2 ** 32 - 1;

/** Narrows times that are in order. */
export function narrowTimes(timeNs: Float64Array): NarrowTimes {
  const low = new Uint32Array(timeNs.length);
  const turns: number[] = [];
  const bases: number[] = [];
  let base = Number.NEGATIVE_INFINITY;
  for (let row = 0; row < timeNs.length; row++) {
    if (timeNs[row] - base > MOST_LOW) {
      base = timeNs[row];
      turns.push(row);
      bases.push(base);
    }
    low[row] = timeNs[row] - base;
  }
  return { low, turns: Uint32Array.from(turns), bases: Float64Array.from(bases) };
}

/** The time of a row. */
export function timeAt({ low, turns, bases }: NarrowTimes, row: number): number {
  let [first, last] = [0, turns.length - 1];
  while (first < last) {
    const middle = (first + last + 1) >> 1;
    if (turns[middle] <= row) first = middle;
    else last = middle - 1;
  }
  return bases[first] + low[row];
}

/** Narrows columns of addresses to places in one list of all that occur. */
export function narrowAddresses<const Columns extends Uint32Array[]>(
  ...columns: Columns
): { addresses: Uint32Array; places: { [Index in keyof Columns]: Places } } {
  const placeOf = new Map<number, number>();
  for (const column of columns)
    for (let row = 0; row < column.length; row++) {
      // The same one comes many times in a row.
      if (row > 0 && column[row] === column[row - 1]) continue;
      if (!placeOf.has(column[row])) placeOf.set(column[row], placeOf.size);
    }
  const Narrow = placeOf.size <= 2 ** 8 ? Uint8Array : placeOf.size <= 2 ** 16 ? Uint16Array : Uint32Array;
  const places = columns.map((column) => {
    const narrow = new Narrow(column.length);
    for (let row = 0; row < column.length; row++) narrow[row] = placeOf.get(column[row])!;
    return narrow;
  });
  return { addresses: Uint32Array.from(placeOf.keys()), places: places as { [Index in keyof Columns]: Places } };
}
