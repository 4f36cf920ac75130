/** Paints a block of lines over the one before, in the place where the terminal's cursor is: without flicker, and gone at the end. */
import { visibleLength } from '../wrap.js';

/** A block of lines at the end of a terminal. */
export interface LiveScreen {
  /** Paints these lines in the place of those before; writes at most once, and nothing where nothing has changed. */
  paint(lines: string[]): void;
  /** Takes the block away and shows the cursor again; what is written next stands where the block began. Harmless when there is none. */
  clear(): void;
}

/** What is between them is shown at once (DEC private mode 2026); terminals that don't know the mode ignore it. */
const BEGIN = '\x1b[?2026h';
const END = '\x1b[?2026l';
const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const NEXT_LINE = '\r\n';

/** A terminal whose painter was killed shows its cursor again. */
export const TERMINAL_AS_IT_WAS = END + SHOW_CURSOR;

/** Begins to paint at the first `paint`. The cursor comes back at the end of the process in any case. */
export function openLiveScreen(stream: NodeJS.WriteStream): LiveScreen {
  let open = false;
  let painted: string[] = [];
  let [columns, rows] = [0, 0];

  function clear(): void {
    if (!open) return;
    open = false;
    process.removeListener('exit', clear);
    stream.write(toTop(true) + CLEAR_BELOW + TERMINAL_AS_IT_WAS);
    painted = [];
  }

  /** The cursor waits at the beginning of the line below the block: what a key press echoes there is cleared by the next picture. */
  function toTop(resized: boolean): string {
    const taken = resized ? painted.reduce((sum, line) => sum + rowsTaken(line), 0) : painted.length;
    return `\r${taken > 0 ? `\x1b[${taken}A` : ''}`;
  }

  /** A terminal that has become narrower has broken long lines in two. */
  function rowsTaken(line: string): number {
    return Math.max(1, Math.ceil(visibleLength(line) / (stream.columns || columns || 1)));
  }

  return {
    paint(lines) {
      const resized = columns !== stream.columns || rows !== stream.rows;
      if (open && !resized && lines.length === painted.length && lines.every((line, index) => line === painted[index]))
        return;
      const afresh = !open || resized;
      const top = open ? toTop(resized) + (resized ? CLEAR_BELOW : '') : HIDE_CURSOR;
      if (!open) process.on('exit', clear);
      open = true;
      [columns, rows] = [stream.columns, stream.rows];
      // The rest of a line is cleared behind its text, so that nothing is blank in between; lines that are the same stay.
      const body = lines.map((line, index) => {
        const same = !afresh && index < painted.length && line === painted[index];
        return same ? NEXT_LINE : `${line}${CLEAR_LINE_END}${NEXT_LINE}`;
      });
      painted = lines;
      stream.write(`${BEGIN}${top}${body.join('')}${CLEAR_BELOW}${END}`);
    },
    clear,
  };
}
