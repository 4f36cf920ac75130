/** The arrival schedule: when each visitor comes, planned before the run from the phases' rates and a seed. */
import { usageError } from '../errors.js';
import type { ArrivalPhase } from '../scenario/scenario.js';
import { randomStream } from './random.js';

/** A schedule holds at most this many visitors: above it, the outcomes alone would fill the memory of a common machine. */
const MAX_VISITORS = 20_000_000;

/** A phase on the axis of expected visitors: it covers `start` to `end` of them. */
interface Stretch {
  start: number;
  end: number;
  startNs: number;
  endNs: number;
  /** Visitors per second at its beginning and its end. */
  from: number;
  to: number;
}

/**
 * Planned arrivals in whole nanoseconds since the run's start, sorted. Pure: same arguments, same nanoseconds.
 *
 * The phases' rates are a piecewise-linear function; its integral is the number of visitors expected so far.
 * Both processes are positions on that axis, mapped back to time:
 * - `uniform`: positions 0, 1, 2, …; as many as the whole integral, rounded half up (1000/s for 3 s is exactly 3000).
 *   The first visitor of a phase comes at its beginning, none at its end.
 * - `poisson`: positions with exponential gaps of mean 1 (time-rescaling of a Poisson process), while they lie within the integral.
 *
 * Throws a usage error (exit 2) when phases of rates and of connections are mixed, or there are too many visitors.
 */
export function arrivalTimes(phases: ArrivalPhase[], process: 'poisson' | 'uniform', seed: number): Float64Array {
  const stretches = stretchesOf(phases);
  const total = stretches.at(-1)?.end ?? 0;
  if (total > MAX_VISITORS)
    throw usageError(
      `the arrivals add up to ${Math.round(total)} visitors; at most ${MAX_VISITORS} fit in one run`,
      'traffic.arrivals',
      'lower the rates or shorten the phases',
    );
  const positions = process === 'uniform' ? uniformPositions(total) : poissonPositions(total, seed);
  return timesAt(positions, stretches);
}

function stretchesOf(phases: ArrivalPhase[]): Stretch[] {
  const stretches: Stretch[] = [];
  let startNs = 0;
  let start = 0;
  for (const phase of phases) {
    if ('connections' in phase)
      throw usageError(
        'arrivals mix phases of rates with phases of connections',
        'traffic.arrivals',
        'use either `rate:` (open loop) or `connections:` (closed loop) in all phases',
      );
    const { from, to } = phase.rate;
    const endNs = startNs + phase.forMs * 1e6;
    const end = snap(start + ((from + to) / 2) * (phase.forMs / 1000));
    // A phase without visitors takes its time and no place on the axis: the next visitor comes after it.
    if (end > start) stretches.push({ start, end, startNs, endNs, from, to });
    startNs = endNs;
    start = end;
  }
  return stretches;
}

/** Sums of rates times seconds miss whole numbers by rounding errors (0.1 + 0.2): puts them back. */
function snap(value: number): number {
  const whole = Math.round(value);
  return Math.abs(value - whole) <= 1e-9 * Math.max(1, whole) ? whole : value;
}

function uniformPositions(total: number): Float64Array {
  return Float64Array.from({ length: Math.round(total) }, (_, index) => index);
}

function poissonPositions(total: number, seed: number): Float64Array {
  const random = randomStream(seed);
  // Ten standard deviations above the mean; it grows in the case that even this is not enough.
  let positions = new Float64Array(Math.ceil(total + 10 * Math.sqrt(total) + 16));
  let count = 0;
  for (let position = gap(random.next()); position < total; position += gap(random.next())) {
    if (count === positions.length) {
      const larger = new Float64Array(count * 2);
      larger.set(positions);
      positions = larger;
    }
    positions[count++] = position;
  }
  return positions.slice(0, count);
}

/** An exponential gap of mean 1 from a number in [0, 1). */
function gap(uniform: number): number {
  return -Math.log(1 - uniform);
}

/** Maps rising positions to times, in place. */
function timesAt(positions: Float64Array, stretches: Stretch[]): Float64Array {
  let index = 0;
  for (let i = 0; i < positions.length; i++) {
    while (positions[i] >= stretches[index].end) index++;
    const stretch = stretches[index];
    const ns = Math.round(stretch.startNs + secondsInto(stretch, positions[i] - stretch.start) * 1e9);
    positions[i] = Math.min(ns, Math.ceil(stretch.endNs) - 1);
  }
  return positions;
}

/** Seconds after which a stretch has brought `visitors`: solves from·t + (to − from)/(2T)·t² = visitors for t. */
function secondsInto(stretch: Stretch, visitors: number): number {
  const { from, to } = stretch;
  const seconds = (stretch.endNs - stretch.startNs) / 1e9;
  const quarter = (2 * (to - from)) / seconds;
  // This form of the root keeps its precision when the ramp is flat or starts at 0.
  const root = Math.sqrt(Math.max(0, from * from + quarter * visitors));
  return visitors === 0 ? 0 : (2 * visitors) / (from + root);
}
