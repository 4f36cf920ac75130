/** One picture of a run under way: a state becomes lines that fit the terminal, the most important ones where it is low. */
import { stripVTControlCharacters } from 'node:util';
import { count } from '../format.js';
import { timeBar } from './bars.js';
import { courseLines, type RankedLine } from './course.js';
import { type LiveGrid, liveGrid, rowLine } from './grid.js';
import { horizonOf } from './history.js';
import { poolLines } from './pool-lines.js';
import type { FinishedTrial, LiveState } from './state.js';
import { columnsOf, cutTo, type LiveStyle, oneColumnEach } from './style.js';

/** The terminal's size in characters. */
export interface LiveSize {
  columns: number;
  rows: number;
}

/** Trials that have ended take so many lines at most. */
const MOST_FINISHED = 8;
/** The line below the picture, where the cursor waits. */
const CURSOR_LINE = 1;

/** The lines of the picture, none longer than the terminal is wide, and at least one row fewer than it has. */
export function liveFrame(state: LiveState, { columns, rows }: LiveSize, style: LiveStyle): string[] {
  const grid = liveGrid(columns);
  const room = Math.max(1, rows - CURSOR_LINE);
  const blank: RankedLine = { text: '', rank: 9 };
  const { trial } = state;
  const upper: RankedLine[] = [
    heading(state, grid, style),
    phaseLine(state, grid, style),
    ...(trial === undefined ? [] : [blank, ...courseLines(trial, grid, style)]),
  ];
  const finished = finishedLines(state.finished, grid, style);
  const lower = finished.length === 0 ? [] : [blank, ...finished];
  const pools = trial === undefined ? [] : poolLines(trial.pools, grid, style);
  const all = [...upper, ...(pools.length === 0 ? [] : [blank, ...pools]), ...lower];
  return mostImportant(all, room).map((line) => fitted(line, grid.width, style));
}

/** Leaves out the lines of the highest rank until the rest has room, of one rank the last ones first. */
function mostImportant(lines: RankedLine[], room: number): string[] {
  const order = lines.map(({ rank }, index) => ({ rank, index })).sort((a, b) => a.rank - b.rank || a.index - b.index);
  const kept = new Set(order.slice(0, room).map(({ index }) => index));
  return lines.filter((_, index) => kept.has(index)).map(({ text }) => text);
}

function heading({ scenario, label }: LiveState, grid: LiveGrid, { colors, glyphs }: LiveStyle): RankedLine {
  const name = cutTo(oneColumnEach(scenario, glyphs), grid.width, glyphs);
  const room = grid.width - name.length - 2;
  // Where it has no room, the time of the end goes first.
  const fits = label.length <= room ? label : label.replace(/, until ~[^),]*/, '');
  const rest = cutTo(oneColumnEach(fits, glyphs), room, glyphs);
  return { text: rest === '' ? colors.bold(name) : `${colors.bold(name)}  ${rest}`, rank: 4 };
}

function phaseLine(state: LiveState, grid: LiveGrid, style: LiveStyle): RankedLine {
  const { phase, step, trial, inPhaseMs } = state;
  const { glyphs } = style;
  const rank = 1;
  if (step !== '') {
    const room = grid.width - grid.indent - grid.label - 1;
    const text = cutTo(oneColumnEach(step, glyphs), room, glyphs);
    return { text: `${' '.repeat(grid.indent)}${phase.padEnd(grid.label + 1)}${text}`, rank };
  }
  const sends = phase === 'sending' || phase === 'finishing';
  const value = sends && trial !== undefined ? passedOf(trial.passedMs, trial.plannedMs) : `${seconds(inPhaseMs)} s`;
  if (trial === undefined) return { text: rowLine({ label: phase, value }, grid, style), rank };
  const left = trial.plannedMs - trial.passedMs;
  const horizonMs = horizonOf(trial.passedMs, trial.plannedMs);
  return {
    text: rowLine(
      {
        label: phase,
        graph: timeBar(trial.passedMs / horizonMs, trial.plannedMs / horizonMs, grid.cells, style),
        value,
        note: phase === 'sending' && left > 0 ? leftText(Math.min(left, trial.plannedMs), grid) : '',
        remark: phase === 'settling' ? 'logs, evidence, causes' : '',
      },
      grid,
      style,
    ),
    rank,
  };
}

function passedOf(passedMs: number, plannedMs: number): string {
  const passed = Math.max(0, passedMs);
  return plannedMs > passed ? `${seconds(passed)} of ${seconds(plannedMs)} s` : `${seconds(passed)} s`;
}

function leftText(leftMs: number, grid: LiveGrid): string {
  return grid.note < 10 ? `-${seconds(leftMs)}` : `${seconds(leftMs)} s left`;
}

/** `3.2`, `123`. */
function seconds(value: number): string {
  return value < 99_950 ? (value / 1000).toFixed(1) : (value / 1000).toFixed(0);
}

function finishedLines(finished: FinishedTrial[], grid: LiveGrid, { colors, glyphs }: LiveStyle): RankedLine[] {
  const shown = finished.slice(-MOST_FINISHED);
  const longest = Math.max(grid.label, ...shown.map(({ name }) => name.length));
  const width = Math.min(longest, Math.floor(grid.width / 3));
  return shown.map((one, index) => {
    const name = cutTo(oneColumnEach(one.name, glyphs), width, glyphs).padEnd(width + 1);
    const dropped = (one.dropped === 0 ? 'none dropped' : `${count(one.dropped)} dropped`).padStart(13);
    const facts = [
      ...(grid.indent > 0 ? [`of ${count(one.due)}`] : []),
      ...(one.invalid ? ['invalid'] : []),
      ...one.causes,
    ].join(`  `);
    const room = grid.width - grid.indent - name.length - dropped.length - 2;
    const line = `${name}${(one.dropped === 0 ? colors.green : colors.red)(dropped)}  ${colors.dim(cutTo(facts, room, glyphs))}`;
    // The newest stays longest.
    return { text: ' '.repeat(grid.indent) + line, rank: 8 - (index + 1) / (shown.length + 1) };
  });
}

/** A line of a terminal that is too narrow for the grid loses its end, and with it its colours. */
function fitted(line: string, width: number, { glyphs }: LiveStyle): string {
  return columnsOf(line) <= width ? line : cutTo(stripVTControlCharacters(line), width, glyphs);
}
