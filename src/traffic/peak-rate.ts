/** The highest rate of new connections that a traffic plan asks for, known before anything is sent. */
import { mostWithin } from '../most-within.js';
import type { TrafficPlan } from './engine.js';

/**
 * Width of the window that slides over the plan, ns. A second would spread a burst of a fifth of it over more time than it has, and the sender is
 * late from the first tenth on; much less would take the chance neighbours of a Poisson process for a rate.
 */
const WINDOW_NS = 100e6;

/**
 * New connections per second that the plan asks for in its busiest 100 ms. Of a journey with a connection per request every step counts, at the
 * earliest moment at which it can come: one think time after the one before it. 0 in closed loop, which asks for no rate.
 */
export function peakConnectionRate(
  plan: Pick<TrafficPlan, 'arrivalsNs' | 'connections' | 'steps' | 'thinkTimeMs'>,
): number {
  return mostWithin(connectionMoments(plan), WINDOW_NS) / (WINDOW_NS / 1e9);
}

function connectionMoments({
  arrivalsNs,
  connections,
  steps,
  thinkTimeMs,
}: Parameters<typeof peakConnectionRate>[0]): Float64Array {
  if (connections.mode !== 'per-request' || steps.length === 1) return arrivalsNs;
  const visitors = arrivalsNs.length;
  const moments = new Float64Array(visitors * steps.length);
  for (let row = 0; row < moments.length; row++)
    moments[row] = arrivalsNs[row % visitors] + Math.floor(row / visitors) * thinkTimeMs * 1e6;
  return moments.sort();
}
