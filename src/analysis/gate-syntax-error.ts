/** A gate that cannot be read, as a value: what is wrong, where in its text, what would be right. */

/** A gate that cannot be read: what is wrong, at which column of the text, and what would be right. */
export class GateSyntaxError extends Error {
  override readonly name = 'GateSyntaxError';
  /** 1-based column in the gate's text. */
  readonly column: number;
  /** What would be right; undefined when the message says it all. */
  readonly hint: string | undefined;

  constructor(message: string, column: number, hint?: string) {
    super(message);
    this.column = column;
    this.hint = hint;
  }
}
