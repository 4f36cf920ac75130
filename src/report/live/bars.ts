/** Bars and sparklines of a given number of cells. */
import { poolLevel } from '../pool-level.js';
import type { LiveStyle } from './style.js';

/**
 * How much of a pool is used, painted, and was at its peak: shares from 0 to 1. Only what is full has all cells, and what is used at all
 * leaves a trace.
 */
export function poolBar(
  share: number,
  peakShare: number,
  cells: number,
  paint: (text: string) => string,
  { colors, glyphs }: LiveStyle,
): string {
  const used = cellsOf(share, cells);
  const peak = Math.max(used, cellsOf(peakShare, cells));
  const trace = peak === 0 && peakShare > 0 && cells > 0 ? glyphs.trace : '';
  return (
    paint(glyphs.used.repeat(used) + trace) +
    colors.dim(glyphs.peak.repeat(peak - used) + glyphs.free.repeat(Math.max(0, cells - peak - trace.length)))
  );
}

/** Red for a full pool, yellow for one that is nearly full. */
export function paintShare(share: number, full: boolean, colors: LiveStyle['colors']): (text: string) => string {
  return { full: colors.red, tight: colors.yellow, easy: colors.green }[full ? 'full' : poolLevel(share)];
}

function cellsOf(share: number, cells: number): number {
  return share >= 1 ? cells : Math.max(0, Math.min(cells - 1, Math.round(share * cells)));
}

/** The time of a trial as an axis: `passed` of `planned`, both shares of all cells. */
export function timeBar(passed: number, planned: number, cells: number, { colors, glyphs }: LiveStyle): string {
  const done = Math.min(cells, Math.max(0, Math.floor(passed * cells)));
  const ahead = Math.max(0, Math.min(cells, Math.round(planned * cells)) - done);
  return (
    colors.cyan(glyphs.passed.repeat(done)) +
    colors.dim(glyphs.ahead.repeat(ahead)) +
    ' '.repeat(Math.max(0, cells - done - ahead))
  );
}

/**
 * One character per value, from 0 to `highest`; a blank for 0 and for what is not known, so that little is told apart from nothing.
 * Values that are no cells yet are blank.
 */
export function sparkline(values: number[], highest: number, cells: number, { glyphs }: LiveStyle): string {
  const { levels } = glyphs;
  const drawn = values.slice(0, cells).map((value) => {
    if (!(value > 0) || !(highest > 0)) return ' ';
    return levels[Math.min(levels.length - 1, Math.max(0, Math.ceil((value / highest) * levels.length) - 1))];
  });
  return drawn.join('').padEnd(cells);
}

/** Latencies by their order of magnitude, from 0 to 1 for `highest`: beside a second, ten milliseconds would be as flat as one. */
export function logScaled(values: number[], highest: number): number[] {
  const of = (value: number) => Math.log10(1 + value);
  return values.map((value) => (value > 0 ? of(value) / of(highest) : 0));
}
