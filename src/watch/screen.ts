/** A terminal that one picture after the other is painted on, as it was before when the watch is over. */

/** The painted part of a terminal. */
export interface Screen {
  /** Paints a text in the place of the one before. */
  paint(text: string): void;
  /** Gives the terminal back and leaves the last picture on it. Harmless when it was given back. */
  restore(): void;
}

const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** Takes the terminal. It is given back at the end of the process in any case. */
export function openScreen(stream: NodeJS.WriteStream): Screen {
  let last = '';
  let open = true;
  stream.write(ENTER);
  const restore = () => {
    if (!open) return;
    open = false;
    process.removeListener('exit', restore);
    stream.write(`${LEAVE}${last}`);
  };
  process.on('exit', restore);
  return {
    paint(text) {
      last = text;
      // Every line is overwritten and its rest cleared: the picture never blinks. One too tall for the terminal must not scroll it.
      const lines = text.trimEnd().split('\n').slice(0, stream.rows);
      stream.write(`${HOME}${lines.map((line) => `${line}${CLEAR_LINE_END}`).join('\r\n')}${CLEAR_BELOW}`);
    },
    restore,
  };
}
