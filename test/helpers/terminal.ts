/** A terminal of no height, as far as the live view uses one: what a person sees after all that was written. */

export interface FakeTerminal {
  write(text: string): void;
  /** The lines without colours and without the spaces at their end; empty ones at the end are left out. */
  lines(): string[];
  cursorVisible(): boolean;
  /** Whether all that was begun to be shown at once has been ended. */
  settled(): boolean;
}

export function fakeTerminal(): FakeTerminal {
  const lines: string[] = [''];
  let [row, column] = [0, 0];
  let visible = true;
  let holding = 0;
  let rest = '';

  function put(character: string): void {
    lines[row] = lines[row].padEnd(column).slice(0, column) + character + lines[row].slice(column + 1);
    column++;
  }

  function control(parameters: string, command: string): void {
    if (command === 'A') row = Math.max(0, row - Number(parameters || 1));
    else if (command === 'K') lines[row] = lines[row].slice(0, column);
    else if (command === 'J') {
      lines[row] = lines[row].slice(0, column);
      lines.splice(row + 1);
    } else if (parameters === '?25') visible = command === 'h';
    else if (parameters === '?2026') holding = Math.max(0, holding + (command === 'h' ? 1 : -1));
    else if (command !== 'm') throw new Error(`unknown sequence ${parameters}${command}`);
  }

  return {
    write(text) {
      const all = rest + text;
      rest = '';
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it is about.
      for (const [token, parameters, command] of all.matchAll(/\x1b\[([?\d;]*)([A-Za-z])|\x1b[^A-Za-z]*$|[\s\S]/gu)) {
        if (command !== undefined) control(parameters, command);
        else if (token.startsWith('\x1b')) rest = token;
        else if (token === '\r') column = 0;
        else if (token === '\n') {
          row++;
          if (row === lines.length) lines.push('');
        } else put(token);
      }
    },
    lines: () => lines.map((line) => line.trimEnd()).slice(0, lines.findLastIndex((line) => line.trim() !== '') + 1),
    cursorVisible: () => visible,
    settled: () => holding === 0,
  };
}
