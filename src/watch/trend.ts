/** How fast a number changes: the slope of the line through its last values, so that one odd value does not turn the forecast. */
import { linearRegression } from 'simple-statistics';

/** A series of values of which the last few seconds are kept. */
export interface Trend {
  /** Adds the value at a time, s of any clock that goes forward. */
  add(seconds: number, value: number): void;
  /** Change per second over the last seconds; null with fewer than two values. */
  perSecond(): number | null;
}

/** Values older than this tell of the past, not of the rate, s; the last three are kept whatever their age. */
const WINDOW = 10;
const LEAST = 3;

/** A trend without values. */
export function trend(): Trend {
  const points: [number, number][] = [];
  return {
    add(seconds, value) {
      points.push([seconds, value]);
      while (points.length > LEAST && points[0][0] < seconds - WINDOW) points.shift();
    },
    perSecond: () => (points.length < 2 ? null : linearRegression(points).m),
  };
}
