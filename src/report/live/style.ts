/** What the terminal can show: colours, block characters, or only what every terminal has. */
import pc from 'picocolors';
import type { Colors } from '../terminal.js';

/** How the view is drawn. */
export interface LiveStyle {
  colors: Colors;
  glyphs: Glyphs;
}

/** The characters that bars and sparklines are made of, each one column wide. */
export interface Glyphs {
  /** The used part of a bar, what was used at its peak and is free again, and the rest. */
  used: string;
  /** In the place of a first cell, of which less than half is used. */
  trace: string;
  peak: string;
  free: string;
  /** Time that has passed, and time to come. */
  passed: string;
  ahead: string;
  /** Levels of a sparkline, the lowest first. */
  levels: string[];
  /** Between facts of a line. */
  dot: string;
  /** Where a text was cut. */
  cut: string;
  /** What was not measured. */
  none: string;
}

const BLOCKS: Glyphs = {
  ...{ used: '█', trace: '▏', peak: '▒', free: '░', passed: '━', ahead: '─' },
  ...{ levels: [...'▁▂▃▄▅▆▇█'], dot: '·', cut: '…', none: '–' },
};
const ASCII: Glyphs = {
  ...{ used: '#', trace: ':', peak: '=', free: '.', passed: '=', ahead: '-' },
  ...{ levels: [...'_.:-=+*#'], dot: '-', cut: '~', none: '-' },
};

/** What a live terminal with this environment can show. The Linux console's font has half of the blocks only. */
export function liveStyle(environment: NodeJS.ProcessEnv = process.env): LiveStyle {
  const locale = environment.LC_ALL || environment.LC_CTYPE || environment.LANG || '';
  const blocks = /utf-?8/i.test(locale) && environment.TERM !== 'linux';
  return { colors: pc.createColors(!environment.NO_COLOR), glyphs: blocks ? BLOCKS : ASCII };
}

/** A text of other people's making, with characters of one column only: what could be wider or narrower becomes `?`. */
export function oneColumnEach(text: string, glyphs: Glyphs): string {
  const own = text.replaceAll('·', glyphs.dot).replaceAll('…', glyphs.cut).replaceAll('–', glyphs.none);
  const known = glyphs === ASCII ? /[^\x20-\x7e]/gu : /[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f–·…]/gu;
  return own.replace(known, '?');
}

/** Columns of a text of one-column characters, colours not counted: ten times a second for every line, so without taking it apart. */
export function columnsOf(text: string): number {
  let columns = text.length;
  for (let at = text.indexOf('\x1b'); at >= 0; at = text.indexOf('\x1b', at + 1))
    columns -= text.indexOf('m', at) - at + 1;
  return columns;
}

/** A text of one-column characters, cut to `width` of them. */
export function cutTo(text: string, width: number, glyphs: Glyphs): string {
  return text.length <= width ? text : `${text.slice(0, Math.max(0, width - 1))}${width > 0 ? glyphs.cut : ''}`;
}
