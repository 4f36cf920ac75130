/** What a proxy's log tells of a request up to the moment when whoever had asked for it left. */
import type { Sighting, UpstreamTry } from '../nodes/kind.js';

/** Logs have whole milliseconds, and a proxy notices an end a little after it. */
export const LEFT_SLACK_MS = 50;

/**
 * Some proxies go on for a client that has gone, and log how that ended. Why the client left is what was the matter then: the
 * try under way had no answer yet, and those after it do not count.
 * @param leftMs Unix time, ms
 */
export function untilLeft(sighting: Sighting, leftMs: number): Sighting {
  const begun = sighting.tries.filter(({ startedAt = 0 }) => startedAt <= leftMs + LEFT_SLACK_MS);
  const open = begun.findIndex(({ endedAt }) => endedAt > leftMs + LEFT_SLACK_MS);
  if (open < 0) return begun.length === sighting.tries.length ? sighting : { ...sighting, tries: begun };
  const tries = [...begun.slice(0, open), stillOpen(begun[open], leftMs)];
  return { ...sighting, endedAt: leftMs, tries };
}

function stillOpen(one: UpstreamTry, leftMs: number): UpstreamTry {
  // Without a backend there is nothing that would not have answered.
  if (one.to === undefined) return one;
  if (one.connectMs !== undefined) return { ...one, endedAt: leftMs, result: 'response-timeout' };
  // One that was answered in the end, or left alone, may have been connected long before: its log has not said when.
  const isOpen = one.result === 'answered' || one.result === 'no-answer';
  return { ...one, endedAt: leftMs, result: isOpen ? 'no-answer' : 'connect-timeout' };
}
