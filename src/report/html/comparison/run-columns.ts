/** Tables with a column per run: their heads, and numbers that know which run's record they come from. */
import type { VariantRecord } from '../../../record/run-record.js';
import { NOTHING } from '../../format.js';
import { type Content, type Html, html } from '../escape.js';
import { type Column, table } from '../parts.js';
import type { ComparedRun } from './comparison-data.js';

/** The run's letter, in its colour. */
export function chip(runs: Pick<ComparedRun, 'letter'>[], run: number): Html {
  return html`<span class="run run-${(run % 8) + 1}">${runs[run].letter}</span>`;
}

/** Numbers of a run: their paths lead into this one's `run.json`. */
export function from({ record }: Pick<ComparedRun, 'record'>, content: Content): Html {
  return html`<span data-run="${record.id}">${content}</span>`;
}

/** A row: its first cells, and what it says of each run. */
export interface RunRow {
  heads: Content[];
  cells: Content[];
}

/** A table whose last columns are the runs. */
export function runTable(
  caption: string,
  heads: string[],
  runs: ComparedRun[],
  rows: RunRow[],
  options: { isText?: boolean; hideCaption?: boolean } = {},
): Html {
  const columns: Column[] = [
    ...heads.map((head) => ({ head })),
    ...runs.map((_, run) => ({ head: chip(runs, run), isNumber: options.isText !== true })),
  ];
  return table(
    caption,
    columns,
    rows.map(({ heads: first, cells }) => [...first, ...cells]),
    options,
  );
}

/** A variant of a run with the way to it in `run.json`. */
export interface Placed {
  variant: VariantRecord;
  path: (string | number)[];
}

/** What is said of the variant of this name in each run; a dash where a run has none. */
export function perRun(runs: ComparedRun[], name: string, cell: (placed: Placed) => Content): Content[] {
  return runs.map((run) => {
    const index = run.record.variants.findIndex((variant) => variant.name === name);
    if (index === -1) return html`<span class="none">${NOTHING}</span>`;
    return from(run, cell({ variant: run.record.variants[index], path: ['variants', index] }));
  });
}
