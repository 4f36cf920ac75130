/** Results as text for a terminal, and as Markdown for a file: ratios first, the goals beside them, and what was missed. */
import Table from 'cli-table3';
import { readable, withUnit } from './numbers.mjs';

const HEAD = ['', 'median', 'rounds', 'goal', ''];

function verdict({ met, value, goal }) {
  if (value === null) return 'not measured';
  if (met === null) return goal === undefined ? '' : 'not judged';
  return met ? 'met' : 'missed';
}

/** Lowest to highest round, where there were several. */
function spread({ rounds, unit }) {
  if (rounds.length < 2) return '';
  return `${readable(Math.min(...rounds))}–${readable(Math.max(...rounds))}${unit === '×' ? '×' : ''} (${rounds.length})`;
}

const cells = (row) => [row.name, withUnit(row.value, row.unit), spread(row), row.goal ?? '', verdict(row)];

/** Ratios before figures that belong to this machine alone, as each they are in the order of the figures. */
export function ratiosFirst(rows) {
  return [...rows.filter(({ unit }) => unit === '×'), ...rows.filter(({ unit }) => unit !== '×')];
}

function plainTable(head, rows) {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...rows);
  return table.toString();
}

/** The table of all figures. */
export const summaryText = (rows) => plainTable(HEAD, ratiosFirst(rows).map(cells));

/** One figure with what is behind it. */
export function figureText({ title, how, rows, tables = [], notes = [] }) {
  return [
    `${title}\n${how}`,
    plainTable(HEAD, rows.map(cells)),
    ...remarks(rows, notes),
    ...tables.map(
      ({ title: name, head, rows: lines }) =>
        `${name}\n${plainTable(
          head,
          lines.map((line) => line.map(readable)),
        )}`,
    ),
  ].join('\n');
}

const remarks = (rows, notes) => [...rows.flatMap(({ name, note }) => (note ? [`${name}: ${note}`] : [])), ...notes];

function markdownTable(head, rows) {
  const line = (words) => `| ${words.map((word) => String(word).replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`, ...rows.map(line)].join(
    '\n',
  );
}

/** The whole run as a page: the machine, the table, and then each figure by itself. */
export function page({ machine, quick, figures }) {
  const rows = figures.flatMap((figure) => figure.rows);
  const missed = rows.filter(({ met }) => met === false);
  const measured = rows.filter(({ met }) => met !== null);
  return [
    `# Benchmarks: ${machine.name}`,
    ...(quick ? ['**A smoke run (`--quick`): one round of a second. These figures say nothing.**'] : []),
    markdownTable(
      ['', 'this machine'],
      Object.entries(machine.facts).map(([name, value]) => [name, value]),
    ),
    `Ratios are taken within one round and carry over to other machines; the figures below them are this machine's. ${measured.length - missed.length} of ${measured.length} goals are met${missed.length === 0 ? '' : `; missed: ${missed.map(({ name }) => name).join('; ')}`}. What each one means and how it is taken: [docs/performance.md](../../docs/performance.md). Two machines side by side: \`node bench/compare.mjs ONE.json OTHER.json\`.`,
    markdownTable(
      HEAD.map((word) => word || ' '),
      ratiosFirst(rows).map((one) =>
        cells(one).map((word, index) => (index === 4 && word === 'missed' ? '**missed**' : word)),
      ),
    ),
    ...figures.flatMap(figurePage),
  ].join('\n\n');
}

function figurePage({ title, how, error, run, tables = [], notes = [], rows }) {
  return [
    `## ${title}`,
    how,
    ...(run === undefined ? [] : [`Taken in the run that began at ${run}.`]),
    ...(error === undefined ? [] : [`Not measured: ${error}`]),
    ...remarks(rows, notes),
    ...tables.map(
      ({ title: name, head, rows: lines }) =>
        `${name}\n\n${markdownTable(
          head,
          lines.map((words) => words.map(readable)),
        )}`,
    ),
  ];
}
