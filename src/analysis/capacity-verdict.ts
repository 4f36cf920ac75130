/** What a search for capacity has shown: the number, whether it is a lower bound only, and whether it meets the need. Pure. */
import type { CapacityRecord } from '../record/capacity-record.js';
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
