/** When a pool of ports was full, by the time series. */

/** One sample of the time series, as far as pools need it. Milliseconds since the trial's start. */
export interface PoolPoint {
  timeMs: number;
  inUse: Record<string, number>;
  timeWait: Record<string, number>;
}

/** When a pool was full, and with what. */
export interface Fullness {
  /** The first and the last sample that shows it full; null where none does, as it was full for less than the time between two. */
  fullFromMs: number | null;
  fullToMs: number | null;
  /** Share of TIME_WAIT among its ports in use at its fullest, 0 to 1. */
  timeWaitShare: number;
}

/** A pool of which this share is in use counts as full: several hosts, and a sample that takes its time. */
const FULL = 0.98;

/** Looks through the samples of one trial. */
export function fullness(samples: PoolPoint[], node: string, capacity: number): Fullness {
  const full = samples.filter(({ inUse }) => (inUse[node] ?? 0) >= capacity * FULL);
  const fullest = samples.reduce<PoolPoint | undefined>(
    (most, sample) => ((sample.inUse[node] ?? 0) > (most?.inUse[node] ?? 0) ? sample : most),
    undefined,
  );
  const inUse = fullest?.inUse[node] ?? 0;
  return {
    fullFromMs: full[0]?.timeMs ?? null,
    fullToMs: full.at(-1)?.timeMs ?? null,
    timeWaitShare: inUse === 0 ? 0 : Math.min(1, (fullest?.timeWait[node] ?? 0) / inUse),
  };
}
