/** A table without lines: columns of text, side by side. */
import Table from 'cli-table3';

/** Spaces before every line of a report's body. */
export const INDENT = '  ';

/** The head of a column and how its cells are aligned; a head or a cell may have several lines. */
export interface GridColumn {
  head: string;
  align: 'left' | 'right';
}

/** The table as text, `gap` spaces between its columns; no line ends in spaces. */
export function grid(columns: GridColumn[], rows: string[][], gap: number): string {
  const lines = new Table({
    head: columns.map(({ head }) => head),
    colAligns: columns.map(({ align }) => align),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ left: INDENT, 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ' '.repeat(gap) },
    },
  });
  lines.push(...rows);
  return lines
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
