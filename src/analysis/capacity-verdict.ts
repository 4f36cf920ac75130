/** What a search for capacity has shown: the number, whether it is a lower bound only, and whether it meets the need. Pure. */
import type { CapacityRecord, CapacityTrial } from '../record/capacity-record.js';
import type { Bracket, SearchEnd } from './capacity-search.js';

/** The part of the record that follows from where the search stands. `end` is undefined while it goes, or when it was interrupted. */
export function capacityVerdict(
  bracket: Bracket,
  end: SearchEnd | undefined,
  need: number | null,
): Pick<CapacityRecord, 'capacity' | 'isAtLeast' | 'isSure' | 'failsAt' | 'headroom' | 'verdict'> {
  const { passes, failsAt, failsAs, isSure } = bracket;
  const capacity = passes ?? null;
  return {
    capacity,
    isAtLeast: capacity !== null && failsAs !== 'fail',
    isSure: isSure && (end === 'resolved' || end === 'up-to' || end === 'none-passes'),
    failsAt: failsAt ?? null,
    headroom: need === null || capacity === null ? null : Number((capacity / need - 1).toPrecision(6)),
    verdict: verdictOf(bracket, end, need),
  };
}

function verdictOf(
  { passes, failsAt, failsAs }: Bracket,
  end: SearchEnd | undefined,
  need: number | null,
): CapacityRecord['verdict'] {
  const failed = failsAs === 'fail';
  if (passes === undefined) return end === 'none-passes' && failed ? 'fail' : end === undefined ? 'none' : 'invalid';
  if (need === null) return 'none';
  if (passes >= need) return 'pass';
  if (failed && (failsAt! <= need || end === 'resolved')) return 'fail';
  return end === undefined ? 'none' : 'invalid';
}

/** Lateness (p99, ms) up to which a rate is still that rate: the default of `traffic.maxLateness`. */
const STILL_STEADY_MS = 10;

/**
 * A generator that stalls sends what it owes at once. Where the scenario allows for that, a chain may have failed by a burst that nobody
 * asked for: told, as the number may then be too low.
 */
export function latenessNotes(trials: CapacityTrial[]): string[] {
  const failed = trials.filter(({ outcome }) => outcome === 'fail');
  const late = failed.filter(({ generator }) => generator.lateP99Ms > STILL_STEADY_MS);
  if (late.length === 0) return [];
  const most = Math.max(...late.map(({ generator }) => generator.lateP99Ms));
  return [
    `in ${late.length} of ${failed.length} trials that failed the generator was late, up to ${Math.round(most)} ms (p99), as traffic.maxLateness allows: the bursts that it made of a steady rate may have broken the gates, and the capacity may be higher; use a quieter machine, or one with more cores`,
  ];
}
