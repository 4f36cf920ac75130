/**
 * When a pool will be full if all goes on as it does now. A straight line would cry wolf: ports that linger in TIME_WAIT come back
 * after a minute, so a steady churn climbs for 60 s and then stays level. Their ages are known, so this can be followed second by second.
 */
import { TIME_WAIT_SECONDS } from './pool-table.js';

/** A pool as it is and moves. */
export interface Moving {
  /** Ports that connections can have. */
  capacity: number;
  /** Sockets that are not in TIME_WAIT. */
  live: number;
  /** How many more of them there are each second; negative where they become fewer. */
  livePerSecond: number;
  /** Sockets in TIME_WAIT by age, as `PoolCount` has them. */
  timeWaitByAge: ArrayLike<number>;
  /** Sockets that enter TIME_WAIT each second. */
  closingPerSecond: number;
  /** For how many seconds a socket in TIME_WAIT keeps its port: 60, or fewer where the kernel reuses it (`TimeWaitReuse`). */
  heldSeconds: number;
}

/** A forecast further away than this says nothing, s. */
const HORIZON = 86_400;

/** Ports that cannot be had at the moment. */
export function portsTaken({ live, timeWaitByAge, heldSeconds }: Omit<Moving, 'capacity' | 'livePerSecond'>): number {
  let taken = live;
  for (let age = 0; age < Math.min(heldSeconds, timeWaitByAge.length); age++) taken += timeWaitByAge[age];
  return taken;
}

/** Seconds until the pool is full at this rate; 0 when it is, null when it will not be, or not within a day. */
export function secondsUntilFull(pool: Moving): number | null {
  const { capacity, timeWaitByAge, heldSeconds } = pool;
  let taken = portsTaken(pool);
  if (taken >= capacity) return 0;
  // What is opened each second is what is more each second, and what makes up for the closed.
  const opened = Math.max(0, pool.livePerSecond + pool.closingPerSecond);
  let { live } = pool;
  let survivors = taken - live;
  let closed = 0;
  let recent = 0;
  const entered: number[] = [];
  // After twice the time of TIME_WAIT everything that ever changes by itself has changed.
  for (let second = 1; second <= 2 * TIME_WAIT_SECONDS; second++) {
    closed = Math.min(pool.closingPerSecond, live + opened);
    live += opened - closed;
    survivors -= timeWaitByAge[heldSeconds - second] ?? 0;
    recent += closed - (entered[second - 1 - heldSeconds] ?? 0);
    entered.push(closed);
    const before = taken;
    taken = live + survivors + recent;
    if (taken >= capacity) return second - 1 + (capacity - before) / (taken - before);
  }
  const perSecond = opened - closed;
  if (perSecond <= 0) return null;
  const seconds = 2 * TIME_WAIT_SECONDS + (capacity - taken) / perSecond;
  return seconds > HORIZON ? null : seconds;
}

/** Seconds until something that grows evenly reaches its limit; 0 when it has, null when it will not, or not within a day. */
export function secondsUntil(limit: number, value: number, perSecond: number | null): number | null {
  if (value >= limit) return 0;
  if (perSecond === null || perSecond <= 0) return null;
  const seconds = (limit - value) / perSecond;
  return seconds > HORIZON ? null : seconds;
}
