/** The curve of a search for capacity: one point per level, and the knee at which latency leaves its ground. Pure. */
import type { CapacityTrial } from '../record/capacity-record.js';

/** All trials of one level. */
export interface CurvePoint {
  level: number;
  trials: CapacityTrial[];
  /** The last of those that say what most of them say: its numbers stand for the level. */
  shown: CapacityTrial;
}

/** The points in the order of their levels. */
export function curveOf(trials: CapacityTrial[]): CurvePoint[] {
  const levels = [...new Set(trials.map(({ level }) => level))].sort((a, b) => a - b);
  return levels.map((level) => {
    const own = trials.filter((trial) => trial.level === level);
    const times = ({ outcome }: CapacityTrial) => own.filter((trial) => trial.outcome === outcome).length;
    const most = Math.max(...own.map(times));
    return { level, trials: own, shown: own.findLast((trial) => times(trial) === most)! };
  });
}

/**
 * The highest level up to which the response's p99 stays within twice that of the lowest level (and a millisecond, below which clocks and
 * schedulers decide); null where it never leaves that ground. Invalid trials do not count.
 */
export function kneeOf(curve: CurvePoint[]): number | null {
  const points = curve.filter(({ shown }) => shown.outcome !== 'invalid' && shown.latency.response.count > 0);
  if (points.length === 0) return null;
  const limit = 2 * points[0].shown.latency.response.p99 + 1;
  const beyond = points.findIndex(({ shown }) => shown.latency.response.p99 > limit);
  return beyond < 1 ? null : points[beyond - 1].level;
}

/** The most that completed per second at levels that fail; null where none failed. */
export function saturationOf(curve: CurvePoint[]): number | null {
  const failed = curve.filter(({ shown }) => shown.outcome === 'fail');
  return failed.length === 0 ? null : Math.max(...failed.map(({ shown }) => shown.throughput.completedPerSecond));
}
