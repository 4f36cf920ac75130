/** Text broken into lines of a terminal's width. */
import { stripVTControlCharacters } from 'node:util';

/** Columns that a text takes, colours not counted. */
export function visibleLength(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

/** Breaks plain text at spaces into lines of at most `width` columns; a longer word stands alone. No line for an empty text. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter(Boolean)) {
    const last = lines.at(-1);
    if (last === undefined || visibleLength(last) + 1 + visibleLength(word) > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
