/** The fullest pools of each count, with how fast they fill: what a count tells by itself, and what only several counts tell. Does no I/O. */
import { portsTaken, secondsUntilFull } from './forecast.js';
import type { PoolTable } from './pool-table.js';
import { heldSeconds, type TimeWaitReuse } from './port-pool.js';
import type { PoolSample } from './sample.js';
import { type Trend, trend } from './trend.js';

/** Follows the fullest pools from count to count. */
export interface PoolTrends {
  /** Takes a count in, made at `seconds` of a clock that goes forward, and gives its fullest pools, the fullest first. */
  take(table: PoolTable, capacity: number, reuse: TimeWaitReuse, seconds: number): PoolSample[];
}

/** As many pools are followed: more than anybody is shown, so that one is known before it comes to the top. */
const FOLLOWED = 40;
/** Sockets that entered TIME_WAIT are averaged over at most so long, s. */
const LONGEST_WINDOW = 10;

interface Followed {
  live: Trend;
  taken: Trend;
}

/** Nothing is followed yet. */
export function poolTrends(): PoolTrends {
  let followed = new Map<string, Followed>();
  let last: { seconds: number; least: number } | undefined;

  return {
    take(table, capacity, reuse, seconds) {
      const heldByRow = (row: number) => heldSeconds(reuse, table.isLoopback(row));
      const rows = fullestRows(table, heldByRow);
      const window = Math.max(1, Math.min(LONGEST_WINDOW, Math.round(seconds - (last?.seconds ?? 0))));
      const still = new Map<string, Followed>();
      let least = Number.POSITIVE_INFINITY;

      const samples = rows.map((row): PoolSample => {
        const pool = table.read(row);
        const held = heldByRow(row);
        const closingPerSecond = table.timeWaitYoungerThan(row, window) / window;
        const taken = portsTaken({ ...pool, closingPerSecond, heldSeconds: held });
        least = Math.min(least, taken);
        const key = `${pool.source} ${pool.destination}`;
        const trends = followed.get(key) ?? begin(pool.live, taken, last);
        trends.live.add(seconds, pool.live);
        trends.taken.add(seconds, taken);
        still.set(key, trends);
        const livePerSecond = trends.live.perSecond();
        const moving = { ...pool, capacity, livePerSecond: livePerSecond ?? 0, closingPerSecond, heldSeconds: held };
        const inUse = pool.live + pool.timeWait;
        return {
          source: pool.source,
          destination: pool.destination,
          inUse,
          timeWait: pool.timeWait,
          reusable: inUse - taken,
          taken,
          share: capacity > 0 ? rounded(taken / capacity, 6) : 1,
          growthPerSecond: rounded(trends.taken.perSecond(), 2),
          closingPerSecond: rounded(closingPerSecond, 2),
          secondsUntilFull: rounded(secondsUntilFull(moving), 1),
        };
      });
      followed = still;
      last = { seconds, least: rows.length < FOLLOWED ? 0 : least };
      const byName = (a: PoolSample, b: PoolSample) =>
        a.destination.localeCompare(b.destination) || a.source.localeCompare(b.source);
      return samples.sort((a, b) => b.taken - a.taken || b.inUse - a.inUse || byName(a, b));
    },
  };
}

/** A pool that the last count did not show had at most as many ports taken as the last of those that it showed; none where it showed all. */
function begin(live: number, taken: number, last: { seconds: number; least: number } | undefined): Followed {
  const followed = { live: trend(), taken: trend() };
  if (last !== undefined) {
    followed.live.add(last.seconds, Math.min(last.least, live));
    followed.taken.add(last.seconds, Math.min(last.least, taken));
  }
  return followed;
}

function fullestRows(table: PoolTable, heldByRow: (row: number) => number): number[] {
  const best: { row: number; taken: number }[] = [];
  for (let row = 0; row < table.rows; row++) {
    const taken = table.live(row) + table.timeWaitYoungerThan(row, heldByRow(row));
    if (best.length === FOLLOWED && taken <= best[FOLLOWED - 1].taken) continue;
    let place = best.length;
    while (place > 0 && best[place - 1].taken < taken) place--;
    best.splice(place, 0, { row, taken });
    if (best.length > FOLLOWED) best.pop();
  }
  return best.map(({ row }) => row);
}

/** To so many decimals: more would be noise, and make every sample longer. */
export function rounded<Value extends number | null>(value: Value, decimals: number): Value {
  return (value === null ? value : Number(value.toFixed(decimals))) as Value;
}
