/** A kernel clock that is cheap to read: asked once, then carried on by `performance.now()`, without a system call or a bigint. */
import { performance } from 'node:perf_hooks';
import { clockGettime } from './libc.js';

/** A function that reads the clock (`C.CLOCK_REALTIME`, `C.CLOCK_MONOTONIC`), ms with their fraction. */
export function cheapClock(clock: number): () => number {
  const pair = new BigInt64Array(2);
  clockGettime(clock, pair);
  const offsetMs = Number(pair[0]) * 1e3 + Number(pair[1]) / 1e6 - performance.now();
  return () => performance.now() + offsetMs;
}
