/** Columns made narrow give back each value exactly, however long a run is and however many addresses it has. */
import { describe, expect, it } from 'vitest';
import { narrowAddresses, narrowTimes, timeAt } from '../../src/observe/narrow.js';

describe('narrow times', () => {
  it.each([
    ['none', []],
    ['before the start of the run', [-7_000_000_000, -1, 0, 5]],
    ['at the edge of 32 bits', [0, 4_294_967_295, 4_294_967_296, 4_294_967_297, 8_589_934_592]],
    ['hours apart', [10, 3.6e12, 3.6e12, 3.6e12 + 1, 9e15]],
  ])('are those that they were made of: %s', (_, times) => {
    const narrow = narrowTimes(Float64Array.from(times));
    expect(times.map((_time, row) => timeAt(narrow, row))).toEqual(times);
  });
});

describe('narrow addresses', () => {
  it.each([1, 256, 257, 65_536, 65_537])('lead to all of %s', (count) => {
    const column = Uint32Array.from({ length: count * 2 }, (_, row) => (row % count) + 0xc612_0000);
    const { addresses, places } = narrowAddresses(column, column.toReversed());
    expect(places.map((place) => Uint32Array.from(place, (at) => addresses[at]))).toEqual([
      column,
      column.toReversed(),
    ]);
    expect(places[0].BYTES_PER_ELEMENT).toBe(count <= 256 ? 1 : count <= 65_536 ? 2 : 4);
  });
});
