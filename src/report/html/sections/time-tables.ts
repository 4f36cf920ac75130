/** The charts over time as tables: for whoever has no JavaScript, listens, or needs the numbers. */
import { count } from '../../format.js';
import { type Content, type Html, html } from '../escape.js';
import { counted, inMs } from '../number.js';
import type { VariantSeries } from '../page-data.js';
import { type Column, details, table } from '../parts.js';
import type { ToldTrial } from '../report-data.js';

/** Rows of a table over time. */
const MOST_ROWS = 40;
/** Rows of all tables of sockets together, and of one at least. */
const SOCKET_ROWS = 1600;
const FEWEST_ROWS = 10;

/** `as-shipped`, with the trial where there are several. */
export const nameOf = ({ variant, trial, trials }: ToldTrial) => (trials > 1 ? `${variant}, trial ${trial}` : variant);

/** How many rows each table of sockets may have. */
export function rowsOfSockets(told: ToldTrial[]): number {
  const tables = told.reduce((sum, { series }) => sum + series.states.length, 0);
  return Math.max(FEWEST_ROWS, Math.min(MOST_ROWS, Math.floor(SOCKET_ROWS / Math.max(1, tables))));
}

/** Those of one trial, folded. */
export function timeTables(told: ToldTrial, socketRows: number): Html {
  const { series } = told;
  const of = nameOf(told);
  return html`${details(`The time series of ${of} as a table`, requestsTable(series))}
${
  series.states.length > 0 &&
  details(
    `Sockets of ${of} by TCP state, as tables`,
    series.states.map((states) => socketsTable(series, states, socketRows)),
  )
}
${answersTable(told)}`;
}

/** Where no latencies were written, as of a trial that was cut short, what the heat map is drawn from. */
function answersTable(told: ToldTrial): Html {
  const { variant, series, latencyTable } = told;
  const summary = `Response times of ${nameOf(told)} over time, as a table`;
  if (latencyTable.length === 0) return series.heat.cells.length > 0 ? details(summary, decadesTable(series)) : html``;
  return details(
    summary,
    table(
      `Response times of ${variant}, ms, by the time at which the answer was whole`,
      [{ head: 'Time, s' }, ...['Answers', 'p50', 'p99', 'Longest'].map(numbers)],
      latencyTable.map(({ fromS, toS, count: answers, p50, p99, max }) => [
        `${fromS}–${toS}`,
        counted(answers),
        inMs(p50),
        inMs(p99),
        inMs(max),
      ]),
    ),
  );
}

/** Answers by powers of ten. */
function decadesTable(series: VariantSeries): Html {
  const { cells, binsPerColumn, perDecade } = series.heat;
  const decades = new Map<number, number[]>();
  for (let at = 0; at < cells.length; at += 3) {
    const [column, bucket, answers] = cells.slice(at, at + 3);
    const decade = Math.floor(bucket / perDecade);
    const counts = decades.get(decade) ?? Array<number>(series.bins).fill(0);
    decades.set(decade, counts);
    counts[column * binsPerColumn] += answers;
  }
  const sorted = [...decades].sort(([a], [b]) => a - b);
  return table(
    `Answers of ${series.name} over time, by how long they took`,
    [{ head: 'Time, s' }, ...sorted.map(([decade]) => numbers(`${powerOfTen(decade)} to ${powerOfTen(decade + 1)}`))],
    rowsOf(series, MOST_ROWS, ({ sum }) => sorted.map(([, counts]) => sum(counts)), binsPerColumn),
  );
}

/** So many µs, in a unit that reads well. */
function powerOfTen(exponent: number): string {
  if (exponent >= 6) return `${10 ** (exponent - 6)} s`;
  return exponent >= 3 ? `${10 ** (exponent - 3)} ms` : `${10 ** exponent} µs`;
}

const numbers = (head: Content): Column => ({ head, isNumber: true });

function requestsTable(series: VariantSeries): Html {
  const { due, completed, drops, pools, name } = series;
  return table(
    `Requests and ports of ${name} over time`,
    [
      { head: 'Time, s' },
      numbers('Due'),
      numbers('Completed'),
      ...drops.map(({ label }) => numbers(html`Lost: ${label}`)),
      ...pools.map(({ node, capacity }) => numbers(`Ports of ${node}, of ${count(capacity)}`)),
    ],
    rowsOf(series, MOST_ROWS, ({ sum, most }) => [
      sum(due),
      sum(completed),
      ...drops.map(({ values }) => sum(values)),
      ...pools.map(({ inUse }) => most(inUse)),
    ]),
  );
}

function socketsTable(
  series: VariantSeries,
  { node, byState }: VariantSeries['states'][number],
  mostRows: number,
): Html {
  return table(
    `Sockets of ${node} in ${series.name} by TCP state over time`,
    [{ head: 'Time, s' }, ...byState.map(({ state }) => numbers(state))],
    rowsOf(series, mostRows, ({ most }) => byState.map(({ values }) => most(values))),
  );
}

/** What a row tells of the bins that it stands for. */
interface RowOf {
  sum(values: number[]): Html;
  /** The highest of those that are known. */
  most(values: (number | null)[]): Html;
}

/** `together`: bins that no row divides. */
function rowsOf(
  { binS, bins }: VariantSeries,
  mostRows: number,
  cells: (row: RowOf) => Content[],
  together = 1,
): Content[][] {
  const each = Math.ceil(bins / mostRows / together) * together;
  const digits = binS * each >= 1 && Number.isInteger(binS * each) ? 0 : 1;
  return Array.from({ length: Math.ceil(bins / each) }, (_, row) => {
    const [from, to] = [row * each, Math.min(bins, (row + 1) * each)];
    const own = cells({
      sum: (values) => counted(values.slice(from, to).reduce((total, value) => total + value, 0)),
      most(values) {
        const known = values.slice(from, to).filter((value) => value !== null);
        return counted(known.length === 0 ? null : Math.max(...known));
      },
    });
    return [`${(from * binS).toFixed(digits)}–${(to * binS).toFixed(digits)}`, ...own];
  });
}
