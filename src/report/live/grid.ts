/** The columns that all rows of the view share, for a width: label, graph, number, note, and a remark where there is room. */
import { columnsOf, cutTo, type LiveStyle } from './style.js';

/** Columns of each part. */
export interface LiveGrid {
  /** Columns that a line may have; the terminal's last one stays free, for a line that fills it would be wrapped by some. */
  width: number;
  indent: number;
  label: number;
  /** Cells of bars and sparklines, all of which they fill. */
  cells: number;
  value: number;
  note: number;
  /** 0 where there is no room for remarks. */
  remark: number;
}

/** What a row shows. Graph, value and note may be painted; label and remark are plain, and cut to their columns. */
export interface LiveRow {
  label: string;
  graph?: string;
  value?: string;
  note?: string;
  remark?: string;
}

const NARROW = 64;
const WIDE = 104;

/** The grid for a terminal of so many columns. */
export function liveGrid(columns: number): LiveGrid {
  const width = Math.max(1, columns - 1);
  const narrow = columns < NARROW;
  const fixed = narrow
    ? { indent: 0, label: 9, value: 14, note: 6, remark: 0 }
    : { indent: 2, label: 12, value: 15, note: 12, remark: columns < WIDE ? 0 : 28 };
  const taken = fixed.indent + fixed.label + 1 + fixed.value + fixed.note + (fixed.remark > 0 ? fixed.remark + 2 : 0);
  return { width, ...fixed, cells: Math.max(0, width - taken) };
}

/** One line; it ends in no spaces. */
export function rowLine(
  { label, graph = '', value = '', note = '', remark = '' }: LiveRow,
  grid: LiveGrid,
  { colors, glyphs }: LiveStyle,
): string {
  const line =
    ' '.repeat(grid.indent) +
    cutTo(label, grid.label, glyphs).padEnd(grid.label + 1) +
    (graph === '' ? ' '.repeat(grid.cells) : graph) +
    padStart(value, grid.value) +
    padStart(note, grid.note) +
    (grid.remark > 0 && remark !== '' ? `  ${colors.dim(cutTo(remark, grid.remark, glyphs))}` : '');
  return line.trimEnd();
}

function padStart(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columnsOf(text))) + text;
}
