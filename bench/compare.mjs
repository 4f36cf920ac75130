/**
 * Two results of `npm run bench` side by side: two machines, or one before and after a change.
 *
 *     node bench/compare.mjs bench/results/ONE.json bench/results/OTHER.json
 */
import { readFileSync } from 'node:fs';
import Table from 'cli-table3';
import { readable, withUnit } from './lib/numbers.mjs';
import { ratiosFirst } from './lib/print.mjs';

const paths = process.argv.slice(2);
if (paths.length !== 2) {
  console.error('usage: node bench/compare.mjs ONE.json OTHER.json');
  process.exit(2);
}
const [one, other] = paths.map((path) => JSON.parse(readFileSync(path, 'utf8')));
const rowsOf = ({ figures }) => figures.flatMap(({ rows }) => rows);
const others = new Map(rowsOf(other).map((row) => [row.id, row]));

/** Do the rounds of both overlap? Then the difference may be chance. */
function apart(a, b) {
  if (a.rounds.length < 2 || b.rounds.length < 2) return '';
  return Math.min(...a.rounds) > Math.max(...b.rounds) || Math.max(...a.rounds) < Math.min(...b.rounds)
    ? 'apart'
    : 'overlap';
}

function print(head, rows) {
  const table = new Table({ head, style: { head: [], border: [], compact: true } });
  table.push(...rows);
  console.log(table.toString());
}

const facts = [...new Set([...Object.keys(one.machine.facts), ...Object.keys(other.machine.facts)])];
print(
  ['', 'one', 'other'],
  facts.map((name) => [name, ...[one, other].map(({ machine }) => machine.facts[name] ?? '–')]),
);
print(
  ['', 'one', 'other', 'other : one', 'rounds', 'goal'],
  ratiosFirst(rowsOf(one)).flatMap((row) => {
    const beside = others.get(row.id);
    if (beside === undefined || row.value === null || beside.value === null) return [];
    const ratio = `${readable(beside.value / row.value)}×`;
    return [
      [
        row.name,
        withUnit(row.value, row.unit),
        withUnit(beside.value, beside.unit),
        ratio,
        apart(row, beside),
        row.goal ?? '',
      ],
    ];
  }),
);
