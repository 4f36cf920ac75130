/** The numbers in advice: how they are written, how much room they leave, how long a visitor holds a connection. */
import type { Traffic } from '../scenario/scenario.js';
import { journeySteps } from '../traffic/journey.js';

/** `64,512`. */
export const count = (value: number) => Math.round(value).toLocaleString('en-US');

/** Room above what a burst needed: the next burst is another one. */
const ROOM = 1.25;

/** A number with a quarter of room on top, rounded up to two digits. */
export function withRoom(value: number): number {
  const wanted = Math.max(1, value * ROOM);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(wanted)) - 1);
  return Math.ceil(wanted / step) * step;
}

/** The next power of two, as sizes of queues and tables are given. */
export function roundUp(value: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(2, value)));
}

/** How long a visitor's connection is held at least, ms, by the scenario alone; 0 where the answer ends it. */
export function held({ journey, connections, thinkTimeMs, holdForMs }: Traffic): number {
  if (journey === 'hold') return holdForMs;
  return connections.mode === 'per-visitor' ? (journeySteps(journey).length - 1) * thinkTimeMs : 0;
}

/** The highest planned rate of visitors a second; undefined in closed loop. */
export function highestRate({ arrivals }: Traffic): number | undefined {
  const rates = arrivals.flatMap((phase) => ('rate' in phase ? [phase.rate.from, phase.rate.to] : []));
  return rates.length === 0 ? undefined : Math.max(...rates);
}
