/** The look of an explanation: paragraphs, points, headings of places and lines with a time before them, at a terminal's width. */
import pc from 'picocolors';
import type { TerminalOptions } from '../terminal.js';
import { visibleLength, wrap } from '../wrap.js';

type Paint = (text: string) => string;

/** Lines of an explanation that is being written. */
export interface Page {
  colors: ReturnType<typeof pc.createColors>;
  /** An empty line, unless the page begins here or the last line is empty. */
  blank(): void;
  /** A line as it is. */
  line(text: string): void;
  /** Text broken to the width; `indent` columns in. */
  paragraph(text: string, indent?: number, paint?: Paint): void;
  /** Text behind a mark, broken to the width with the mark standing out. */
  point(mark: string, text: string, paint?: Paint, indent?: number): void;
  /** Text behind a time (or a mark in its place), which is set flush right. */
  timed(time: string, text: string, paint?: Paint): void;
  /** All lines, with a line end at the end. */
  text(): string;
}

const INDENT = 2;
/** Columns of a time, its indent included. */
const TIME_COLUMNS = 12;
const LEAST_WIDTH = 40;

/** Stands for a space that no line may end at. */
const TIE = '\u2060';

/** A number stays with its unit. */
const tied = (text: string) => text.replace(/(\d) (?=(?:m?s|MB)\b)/g, `$1${TIE}`);

/** A word that no line has room for, such as a log line in JSON, may break behind a comma, or else anywhere. */
function withBreaks(text: string, columns: number): string {
  if (columns < 1) return text;
  return text.replace(new RegExp(`\\S{${columns + 1},}`, 'g'), (word) => {
    const parts: string[] = [];
    for (let rest = word; rest !== ''; ) {
      const comma = rest.length <= columns ? -1 : rest.lastIndexOf(',', columns - 1);
      const end = comma > 0 ? comma + 1 : columns;
      parts.push(rest.slice(0, end));
      rest = rest.slice(end);
    }
    return parts.join(' ');
  });
}

/** An empty page. */
export function newPage({ color, width: columns }: TerminalOptions): Page {
  const colors = pc.createColors(color);
  const width = Math.max(columns, LEAST_WIDTH);
  const lines: string[] = [];
  const same: Paint = (text) => text;

  function hanging(first: string, rest: string, text: string, paint: Paint): void {
    const columns = width - visibleLength(first);
    wrap(withBreaks(tied(text), columns), columns).forEach((part, index) => {
      lines.push((index === 0 ? first : rest) + paint(part.replaceAll(TIE, ' ')));
    });
  }

  return {
    colors,
    blank: () => void (lines.length > 0 && lines.at(-1) !== '' && lines.push('')),
    line: (text) => void lines.push(text),
    paragraph(text, indent = INDENT, paint = same) {
      hanging(' '.repeat(indent), ' '.repeat(indent), text, paint);
    },
    point(mark, text, paint = same, indent = INDENT) {
      const before = ' '.repeat(indent);
      hanging(`${before}${mark} `, before + ' '.repeat(visibleLength(mark) + 1), text, paint);
    },
    timed(time, text, paint = same) {
      const before = ' '.repeat(Math.max(0, TIME_COLUMNS - visibleLength(time))) + time;
      hanging(`${before}  `, ' '.repeat(TIME_COLUMNS + 2), text, paint);
    },
    text: () => `${lines.join('\n')}\n`,
  };
}
