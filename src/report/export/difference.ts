/** What one configuration has and another has not, statement by statement. */
import { diffArrays } from 'diff';
import type { Statement } from './statements.js';

/** A statement of either configuration. */
export interface MarkedStatement extends Statement {
  /** `gone` is only in the old one. */
  mark: 'same' | 'new' | 'gone';
  /** Of a new one: the old one whose place it takes. Of an old one: that it has a successor. */
  replaces?: string;
  replaced?: boolean;
  /** What stands in the comment beside the measured effect. */
  remark?: string;
}

/**
 * Both configurations as one list in the new one's order. `nameOf` tells which setting a statement is about: of two
 * in the same block with the same name, the new one takes the old one's place.
 */
export function difference(old: Statement[], now: Statement[], nameOf: (text: string) => string): MarkedStatement[] {
  const place = ({ blocks }: Statement) => blocks.at(-1)?.id ?? '';
  const comparator = (a: Statement, b: Statement) => a.text === b.text && place(a) === place(b);
  const marked = diffArrays(old, now, { comparator }).flatMap(({ value, added, removed }) =>
    value.map((statement): MarkedStatement => ({ ...statement, mark: added ? 'new' : removed ? 'gone' : 'same' })),
  );
  const places = new Map<MarkedStatement, MarkedStatement>();
  for (const statement of marked) {
    if (statement.mark !== 'new') continue;
    const before = marked.find(
      (other) =>
        other.mark === 'gone' &&
        other.replaced !== true &&
        place(other) === place(statement) &&
        nameOf(other.text) === nameOf(statement.text),
    );
    if (before === undefined) continue;
    statement.replaces = before.text;
    before.replaced = true;
    places.set(statement, before);
  }
  // What was there before stands with what is there now.
  return marked
    .filter(({ replaced }) => replaced !== true)
    .flatMap((statement) => [places.get(statement) ?? [], statement].flat());
}

/** How many statements differ; one that takes another's place counts once. */
export function changesIn(statements: MarkedStatement[]): number {
  return statements.filter(({ mark, replaced }) => mark === 'new' || (mark === 'gone' && replaced !== true)).length;
}

/** The words that a statement has more than the one whose place it takes. */
export function newWords(text: string, replaces: string): string {
  const old = new Set(wordsOf(replaces));
  return wordsOf(text)
    .filter((word) => !old.has(word))
    .join(' ');
}

const wordsOf = (text: string) => text.replace(/;$/, '').split(/\s+/);
