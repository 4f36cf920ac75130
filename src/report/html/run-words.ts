/** What pages of several runs say of one of them: how it ended in a word, when it was, what it lost in all, how slow it was. */
import type { RunRecord } from '../../record/run-record.js';
import { toMinute } from '../format.js';
import { ENDING_WORDS, type Ending, endingOf } from './ending.js';
import { type Html, html } from './escape.js';
import { verdictOf } from './sections/verdict.js';

/** A run over all its variants. */
export interface Totals {
  due: number;
  dropped: number;
  /** The variant whose response p99 is the highest, ms; absent where nothing was answered. */
  slowest?: { index: number; variant: string; p99: number };
  /** Gates that do not hold, and all of them. */
  failed: number;
  gates: number;
}

const KINDS: Record<Ending, string> = {
  pass: 'holds',
  fail: 'fails',
  invalid: 'skipped',
  interrupted: 'skipped',
  unfinished: 'skipped',
  none: 'none',
};

/** Its mark, its word, and the style class of both. */
export const endingWords = (ending: Ending) => ({ ...ENDING_WORDS[ending], kind: KINDS[ending] });

/** `✗ Fail`. */
export function endingMark(ending: Ending): Html {
  const { mark, word, kind } = endingWords(ending);
  return html`<span class="${kind}"><span aria-hidden="true">${mark}</span> ${word}</span>`;
}

/** In a sentence's words: `2 of 6 gates do not hold`. */
export function inWords(record: RunRecord): string {
  switch (endingOf(record)) {
    case 'unfinished':
      return 'it still runs, or was killed';
    case 'interrupted':
      return 'only a part of it ran';
    case 'invalid':
      return 'not to be trusted';
    default:
      return verdictOf(record).words;
  }
}

/** Sums over the variants. */
export function totalsOf({ variants }: Pick<RunRecord, 'variants'>): Totals {
  const gates = variants.flatMap((variant) => variant.gates);
  let slowest: Totals['slowest'];
  variants.forEach(({ name, latency: { response } }, index) => {
    if (response.count > 0 && (slowest === undefined || response.p99 > slowest.p99))
      slowest = { index, variant: name, p99: response.p99 };
  });
  return {
    due: variants.reduce((sum, { requests }) => sum + requests.due, 0),
    dropped: variants.reduce((sum, { requests }) => sum + requests.dropped, 0),
    ...(slowest !== undefined && { slowest }),
    failed: gates.filter(({ pass }) => !pass).length,
    gates: gates.length,
  };
}

/** To the minute, UTC: `2026-11-24 19:23`. */
export function minute(iso: string): Html {
  return html`<time datetime="${iso}">${toMinute(iso)}</time>`;
}
