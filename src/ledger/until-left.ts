/** What a proxy's log tells of a request up to the moment when whoever had asked for it left. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';

/** Logs have whole milliseconds, and a proxy notices an end a little after it. */
const SLACK_MS = 50;

/**
 * Some proxies go on for a client that has gone, and log how that ended. Why the client left is what was the matter then: the
 * try under way had no answer yet, and those after it do not count.
 * @param leftMs Unix time, ms
 */
export function untilLeft(sighting: Sighting, leftMs: number): Sighting {
  const begun = sighting.tries.filter(({ startedAt = 0 }) => startedAt <= leftMs + SLACK_MS);
  const open = begun.findIndex(({ endedAt }) => endedAt > leftMs + SLACK_MS);
  if (open < 0) return begun.length === sighting.tries.length ? sighting : { ...sighting, tries: begun };
  const tries = [...begun.slice(0, open), stillOpen(begun[open], leftMs)];
  return { ...sighting, endedAt: leftMs, tries };
}

function stillOpen(one: UpstreamTry, leftMs: number): UpstreamTry {
  // Without a backend there is nothing that would not have answered.
  if (one.to === undefined) return one;
  return { ...one, endedAt: leftMs, result: one.connectMs === undefined ? 'connect-timeout' : 'response-timeout' };
}
