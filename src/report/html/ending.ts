/** How a run ended, in one of a few words. */
import type { RunRecord } from '../../record/run-record.js';

/** How a run ended. `unfinished`: it has not come to its end, as it still runs or was killed. */
export type Ending = 'pass' | 'fail' | 'invalid' | 'interrupted' | 'unfinished' | 'none';

/** Its mark, and its word. */
export const ENDING_WORDS: Record<Ending, { mark: string; word: string }> = {
  pass: { mark: '✓', word: 'Pass' },
  fail: { mark: '✗', word: 'Fail' },
  invalid: { mark: '!', word: 'Invalid' },
  interrupted: { mark: '!', word: 'Interrupted' },
  unfinished: { mark: '…', word: 'Not finished' },
  none: { mark: '·', word: 'No gates' },
};

/** How a run ended; what fails, fails however the run ended. */
export function endingOf({
  verdict,
  status,
  finishedAt,
}: Pick<RunRecord, 'verdict' | 'status' | 'finishedAt'>): Ending {
  if (verdict !== 'none' || status === 'complete') return verdict;
  return finishedAt === null ? 'unfinished' : 'interrupted';
}
