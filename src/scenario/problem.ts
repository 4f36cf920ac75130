/** A mistake in a scenario: what is wrong, at which key, and what would be right. */

/** The way to a key or a list item of the scenario file: `['traffic', 'arrivals', 0, 'rate']`. */
export type KeyPath = (string | number)[];

/** A mistake, placed by its key and not yet by line and column. */
export interface Problem {
  message: string;
  /** What would be right. */
  hint?: string;
  path: KeyPath;
  /** What to point at; a key that is not there points at the one that should hold it. */
  at: 'key' | 'value';
  /** Columns to the right of that place. */
  shift?: number;
}

/** A problem with its place in words: `file:line:column`, or the option of the command line. */
export interface PlacedProblem {
  message: string;
  hint?: string;
  where: string;
  /** Offset in the file, for sorting. */
  offset: number;
}
