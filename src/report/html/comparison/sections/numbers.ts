/** Throughput and all the other numbers of each variant, the runs beside each other. */
import { NOTHING } from '../../../format.js';
import type { Content, Html } from '../../escape.js';
import { counted, inMs, number } from '../../number.js';
import { details, section } from '../../parts.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import { type Placed, perRun, runTable } from '../run-columns.js';

type Row = [name: string, cell: (placed: Placed) => Content];

const ROWS: Row[] = [
  ['Requests due', ({ variant, path }) => counted(variant.requests.due, [...path, 'requests', 'due'])],
  [
    'Requests completed',
    ({ variant, path }) => counted(variant.requests.completed, [...path, 'requests', 'completed']),
  ],
  ['Tries', ({ variant, path }) => counted(variant.requests.attempts, [...path, 'requests', 'attempts'])],
  ['Visitors served', ({ variant, path }) => counted(variant.visitors.served, [...path, 'visitors', 'served'])],
  [
    'Visitors turned away',
    ({ variant, path }) => counted(variant.visitors.turnedAway, [...path, 'visitors', 'turnedAway']),
  ],
  [
    'Generator late, p99, ms',
    ({ variant, path }) => inMs(variant.generator.lateP99Ms, [...path, 'generator', 'lateP99Ms']),
  ],
  ['Trials', ({ variant, path }) => counted(variant.trials, [...path, 'trials'])],
];

/** The section. */
export function numbersSection({ runs, variants }: ComparisonData): Html {
  return section(
    'numbers',
    'How much got through?',
    runTable(
      'Requests completed per second',
      ['Variant'],
      runs,
      variants.map((name) => ({ heads: [name], cells: perRun(runs, name, throughput) })),
    ),
    soldTickets(runs, variants),
    variants.map((name) =>
      details(
        `All numbers of ${name}`,
        runTable(
          `All numbers of ${name}`,
          ['Number'],
          runs,
          ROWS.map(([head, cell]) => ({ heads: [head], cells: perRun(runs, name, cell) })),
          { hideCaption: true },
        ),
      ),
    ),
  );
}

function throughput({ variant: { throughput: own }, path }: Placed): Content {
  const value = own.completedPerSecond;
  return number(value, `${Number(value?.toFixed(1))}`, [...path, 'throughput', 'completedPerSecond']);
}

function soldTickets(runs: ComparedRun[], variants: string[]): Content {
  const sells = runs.some(({ record }) => record.variants.some(({ tickets }) => tickets !== undefined));
  return (
    sells &&
    runTable(
      'Tickets sold',
      ['Variant'],
      runs,
      variants.map((name) => ({
        heads: [name],
        cells: perRun(runs, name, ({ variant: { tickets }, path }) =>
          tickets === undefined ? NOTHING : counted(tickets.sold, [...path, 'tickets', 'sold']),
        ),
      })),
    )
  );
}
