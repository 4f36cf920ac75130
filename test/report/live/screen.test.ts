/** The block is painted in one write per picture, only where it has changed, and leaves the terminal as it was. */
import { describe, expect, it } from 'vitest';
import { liveScreen, screenMemory } from '../../../src/report/live/screen.js';
import { fakeTerminal } from '../../helpers/terminal.js';

function stream(columns = 80, rows = 24) {
  const writes: string[] = [];
  const terminal = fakeTerminal();
  const write = (text: string) => {
    writes.push(text);
    terminal.write(text);
    return true;
  };
  const fake = { columns, rows, write };
  const memory = screenMemory();
  return { writes, terminal, fake, screen: liveScreen(fake, memory), other: liveScreen(fake, memory) };
}

describe('the screen', () => {
  it('writes once for a picture, all of it at once, and never clears the screen', () => {
    const { writes, terminal, screen } = stream();
    screen.paint(['one', 'two']);
    screen.paint(['one', 'three', 'four']);
    expect(writes).toHaveLength(2);
    for (const text of writes) {
      expect(text.startsWith('\x1b[?2026h')).toBe(true);
      expect(text.endsWith('\x1b[?2026l')).toBe(true);
      for (const clearing of ['\x1b[1J', '\x1b[2J', '\x1b[3J', '\x1b[H']) expect(text).not.toContain(clearing);
    }
    expect(terminal.lines()).toEqual(['one', 'three', 'four']);
    expect(terminal.cursorVisible()).toBe(false);
    screen.clear();
  });

  it('writes nothing when nothing has changed, and only the lines that have', () => {
    const { writes, screen } = stream();
    screen.paint(['same', 'old']);
    screen.paint(['same', 'old']);
    expect(writes).toHaveLength(1);
    screen.paint(['same', 'new']);
    expect(writes[1]).toContain('new');
    expect(writes[1]).not.toContain('same');
    screen.clear();
  });

  it('clears what a shorter picture and a key press leave', () => {
    const { terminal, screen } = stream();
    screen.paint(['a long line', 'b', 'c']);
    terminal.write('^C');
    screen.paint(['a']);
    expect(terminal.lines()).toEqual(['a']);
    screen.clear();
  });

  it('goes away, shows the cursor, and begins again below what was written since', () => {
    const { writes, terminal, screen } = stream();
    terminal.write('before\r\n');
    screen.paint(['picture']);
    screen.clear();
    screen.clear();
    expect(writes).toHaveLength(2);
    expect(terminal.lines()).toEqual(['before']);
    expect([terminal.cursorVisible(), terminal.settled()]).toEqual([true, true]);
    terminal.write('a note\r\n');
    screen.open();
    screen.paint(['picture']);
    expect(terminal.lines()).toEqual(['before', 'a note', 'picture']);
    screen.clear();
  });

  it('is painted afresh after a resize, from the row that its longer lines have moved to', () => {
    const { writes, fake, screen } = stream(20);
    screen.paint(['x'.repeat(19), 'y']);
    fake.columns = 10;
    screen.paint(['x'.repeat(9), 'y']);
    // Two rows for the first line, one for the second.
    expect(writes[1]).toContain('\r\x1b[3A\x1b[J');
    screen.clear();
  });

  it('is taken away by whoever has its memory, and is not painted until it is opened again', () => {
    const { writes, terminal, screen, other } = stream(20);
    screen.paint(['a picture', 'of two lines']);
    other.clear();
    expect(terminal.lines()).toEqual([]);
    expect([terminal.cursorVisible(), terminal.settled()]).toEqual([true, true]);
    screen.paint(['late']);
    expect(writes).toHaveLength(2);
    terminal.write('a note\r\n');
    other.open();
    screen.paint(['a picture', 'of two lines']);
    expect(terminal.lines()).toEqual(['a note', 'a picture', 'of two lines']);
    other.clear();
  });
});
