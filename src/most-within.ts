/** The most of some sorted moments that lie within any stretch of this length, its end excluded; one unit for all. */
export function mostWithin(sorted: Float64Array, length: number): number {
  let most = 0;
  let first = 0;
  for (let last = 0; last < sorted.length; last++) {
    while (sorted[last] - sorted[first] >= length) first++;
    most = Math.max(most, last - first + 1);
  }
  return most;
}
