/** Outcomes on their way from a part's sender to the whole trial's columns: the rows that have changed, with all their values. */
import { type PlanPart, visitorNumber } from './engine.js';
import { COLUMNS, type OutcomeColumns, type Outcomes, outcomes, RequestState } from './outcomes.js';

/** Rows of one sender. */
export interface RowBatch {
  /** Row numbers as the sender counts them. */
  rows: Uint32Array;
  /** Their values. */
  columns: OutcomeColumns;
}

/** Rows of one batch at most, 8 MB: a longer one would hold up what is said beside it. */
const MOST_ROWS = 100_000;

/** Tells what has changed in a sender's outcomes. */
export interface RowChanges {
  /** Rows whose state is another than when they were last told: enough for progress, cheap enough for every 100 ms. */
  byState(): RowBatch[];
  /** Rows of which any value is another: what a thread without locks had not finished writing is told again. */
  all(): RowBatch[];
}

/** Watches `out`, which another thread may be filling. */
export function rowChanges(out: Outcomes): RowChanges {
  /** As they were last told. */
  const told = outcomes(out.visitors, out.steps);

  function take(changed: (row: number) => boolean): RowBatch[] {
    const rows: number[] = [];
    for (let row = 0; row < out.rows; row++) if (changed(row)) rows.push(row);
    const batches: RowBatch[] = [];
    for (let from = 0; from < rows.length; from += MOST_ROWS)
      batches.push(batchOf(out, told, Uint32Array.from(rows.slice(from, from + MOST_ROWS))));
    return batches;
  }

  return {
    byState: () => take((row) => out.state[row] !== told.state[row]),
    all: () => take((row) => COLUMNS.some(([name]) => !Object.is(out[name][row], told[name][row]))),
  };
}

function batchOf(out: Outcomes, told: Outcomes, rows: Uint32Array): RowBatch {
  const columns: Record<string, unknown> = {};
  for (const [name, type] of COLUMNS) {
    const values = new type(rows.length);
    for (let index = 0; index < rows.length; index++) {
      // Once, because it may change in between.
      const value = out[name][rows[index]];
      values[index] = value;
      told[name][rows[index]] = value;
    }
    columns[name] = values;
  }
  return { rows, columns: columns as unknown as OutcomeColumns };
}

/** Writes a batch of the part into the outcomes of the whole, under the whole's numbers of visitors, clients and connections. */
export function applyRows(whole: Outcomes, part: PlanPart, { rows, columns }: RowBatch): void {
  const { steps } = whole;
  const target = rows.map((row) => visitorNumber(part, Math.floor(row / steps)) * steps + (row % steps));
  for (const [name] of COLUMNS) {
    const values = columns[name];
    const into = whole[name];
    for (let index = 0; index < target.length; index++) into[target[index]] = values[index];
  }
  for (let index = 0; index < target.length; index++) {
    const row = target[index];
    if (columns.connection[index] >= 0) whole.connection[row] = columns.connection[index] * part.of + part.index;
    if (columns.state[index] !== RequestState.notDue) whole.client[row] = part.clients[columns.client[index]];
  }
}
