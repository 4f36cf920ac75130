/**
 * Paints a block of lines over the one before, in the place where the terminal's cursor is: without flicker, and gone at the end. One
 * thread paints and another takes the block away, at any moment; what both must know of the terminal is in memory that they share.
 */
import { visibleLength } from '../wrap.js';

/** The terminal, with its size in characters as it is now. */
export interface LiveTerminal {
  /** Writes at once. */
  write(text: string): unknown;
  readonly columns: number;
  readonly rows: number;
}

/** A block of lines at the end of a terminal. */
export interface LiveScreen {
  /** Paints these lines in the place of those before; writes at most once, and nothing where nothing has changed or the block is away. */
  paint(lines: string[]): void;
  /**
   * Takes the block away and shows the cursor again; what is written next stands where the block began, and nothing is painted any more.
   * Waits for a picture that is being written. Harmless when there is none.
   */
  clear(): void;
  /** Pictures may be painted (again). */
  open(): void;
}

/** Numbers of the shared memory: whose turn it is, the terminal's size at the last picture, its lines, and the length of each. */
const TURN = 0;
const COLUMNS = 1;
const ROWS = 2;
const LINES = 3;
const LENGTHS = 4;
/** More than any picture has. */
const MOST_LINES = 256;
/** Values of TURN: nobody writes, a picture is being written, the block is away. */
const [FREE, PAINTING, AWAY] = [0, 1, 2];
/** A terminal that takes nothing (Ctrl-S) must not hold up the end of the program, ms. */
const PATIENCE_MS = 2000;

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

/** Memory for all screens of one terminal; pictures may be painted from the start. */
export function screenMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer((LENGTHS + MOST_LINES) * Int32Array.BYTES_PER_ELEMENT);
}

/** The same block for everybody who has the memory; only one of them may paint. */
export function liveScreen(terminal: LiveTerminal, memory: SharedArrayBuffer): LiveScreen {
  const shared = new Int32Array(memory);
  let painted: string[] = [];

  /** The cursor waits at the beginning of the line below the block: what a key press echoes there is cleared by the next picture. */
  function toTop(): string {
    const { columns } = terminal;
    const resized = isResized();
    // A terminal that has become narrower has broken long lines in two.
    const rowsOf = (length: number) => (resized ? Math.max(1, Math.ceil(length / columns)) : 1);
    const taken = shared.subarray(LENGTHS, LENGTHS + shared[LINES]).reduce((sum, length) => sum + rowsOf(length), 0);
    return `\r${taken > 0 ? `\x1b[${taken}A` : ''}`;
  }

  function isResized(): boolean {
    return shared[COLUMNS] !== terminal.columns || shared[ROWS] !== terminal.rows;
  }

  function picture(lines: string[]): void {
    const there = shared[LINES] > 0;
    const afresh = !there || isResized();
    if (!afresh && lines.length === painted.length && lines.every((line, index) => line === painted[index])) return;
    const top = there ? toTop() + (afresh ? CLEAR_BELOW : '') : HIDE_CURSOR;
    // The rest of a line is cleared behind its text, so that nothing is blank in between; lines that are the same stay.
    const body = lines.map((line, index) => {
      const same = !afresh && index < painted.length && line === painted[index];
      return same ? NEXT_LINE : `${line}${CLEAR_LINE_END}${NEXT_LINE}`;
    });
    painted = lines;
    shared[COLUMNS] = terminal.columns;
    shared[ROWS] = terminal.rows;
    shared[LINES] = lines.length;
    lines.forEach((line, index) => {
      shared[LENGTHS + index] = visibleLength(line);
    });
    terminal.write(`${BEGIN}${top}${body.join('')}${CLEAR_BELOW}${END}`);
  }

  return {
    paint(lines) {
      if (Atomics.compareExchange(shared, TURN, FREE, PAINTING) !== FREE) return;
      try {
        picture(lines.slice(0, MOST_LINES));
      } finally {
        Atomics.compareExchange(shared, TURN, PAINTING, FREE);
        Atomics.notify(shared, TURN);
      }
    },
    clear() {
      const before = Atomics.compareExchange(shared, TURN, FREE, AWAY);
      if (before === AWAY) return;
      if (before === PAINTING) {
        Atomics.wait(shared, TURN, PAINTING, PATIENCE_MS);
        Atomics.store(shared, TURN, AWAY);
      }
      if (shared[LINES] === 0) return;
      const top = toTop();
      shared[LINES] = 0;
      terminal.write(top + CLEAR_BELOW + TERMINAL_AS_IT_WAS);
    },
    open() {
      Atomics.compareExchange(shared, TURN, AWAY, FREE);
    },
  };
}
