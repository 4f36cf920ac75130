/** Many metrics, one promise: the chance of any false alarm among all of them stays below the stated one. */

/**
 * p values adjusted by Holm's step-down procedure ("A simple sequentially rejective multiple test procedure", Scandinavian Journal of Statistics
 * 6, 1979), in the order given: one that is at most `alpha` is shown, and among all of them the chance of any false one is at most `alpha`.
 */
export function holm(ps: readonly number[]): number[] {
  const order = ps.map((_, index) => index).sort((a, b) => ps[a] - ps[b]);
  const adjusted = new Array<number>(ps.length);
  let atLeast = 0;
  for (const [rank, index] of order.entries()) {
    atLeast = Math.max(atLeast, Math.min(1, ps[index] * (ps.length - rank)));
    adjusted[index] = atLeast;
  }
  return adjusted;
}
