/**
 * How often the sockets may be counted: counting 50,000 of them takes tens of milliseconds, so the watch spends CPU as one spends money.
 * It earns a share of a core all the time, pays what it used, and keeps a reserve for the moments when it matters. Does no I/O.
 */

/** The account. Times are milliseconds of CPU unless said. */
export interface CpuBudget {
  /** Books what has been earned and used since the last time; `elapsedMs` is time that has passed. */
  book(elapsedMs: number, usedMs: number): void;
  /**
   * Whether something that costs about `costMs`, and was done last `sinceMs` ago, may be done now. `urgent` may touch the reserve.
   * After the reserve was used, what is not urgent goes on at half its pace until it is full again.
   */
  affords(costMs: number, sinceMs: number, urgent: boolean): boolean;
}

/** What the account can hold at most and what its reserve is, as the time that it takes to earn it, ms: the reserve is, at 0.4 % of a core 0.8 s of CPU. */
const FULL_AFTER_MS = 400_000;
const RESERVE_AFTER_MS = 200_000;

/** An account that earns `share` of a core (0.004 is 0.4 %), and has earned all that it can hold. */
export function cpuBudget(share: number): CpuBudget {
  const full = share * FULL_AFTER_MS;
  const reserve = share * RESERVE_AFTER_MS;
  let balance = full;
  return {
    book(elapsedMs, usedMs) {
      balance = Math.min(full, balance + elapsedMs * share - usedMs);
    },
    affords(costMs, sinceMs, urgent) {
      if (balance >= reserve) return true;
      return balance >= costMs && (urgent || sinceMs * share >= 2 * costMs);
    },
  };
}
