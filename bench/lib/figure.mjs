/**
 * What every figure has in common: it runs alone (`node bench/figures/NAME.mjs [--quick] [--rounds N] [--seconds N] [--json]`) inside
 * namespaces of its own, which the kernel removes with all that was started in them, or as one of all from run.mjs.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { isIsolated, isolate } from '../../dist/testbed/netns/isolate.js';
import { median } from './numbers.mjs';
import { figureText } from './print.mjs';
import { missingTools } from './tools.mjs';

const HELP = `  --quick      one round of a second: does it run at all? The figures are worth nothing
  --rounds N   rounds; what is compared is compared within a round, and the median of the rounds is printed
  --seconds N  length of one measurement
  --json       the result as one line of JSON, for run.mjs`;

/** A goal of issue 9 as a plain value: how it reads, and the bound. */
export const atLeast = (bound, unit = '', aim) => ({
  text: `≥ ${bound.toLocaleString('en-US')}${unit}${aim === undefined ? '' : `, aim ${aim}${unit}`}`,
  atLeast: bound,
});
export const atMost = (bound, unit = '') => ({ text: `< ${bound.toLocaleString('en-US')}${unit}`, atMost: bound });

/**
 * One line of the table. `rounds` are the values of the single rounds, `value` is their median; without a round there is no value, and
 * `note` says why. `id` stays the same over machines and versions: compare.mjs goes by it.
 */
export function row({ id, name, unit, rounds, goal, note, value = rounds.length > 0 ? median(rounds) : null }) {
  const met = goal === undefined || value === null ? null : isMet(value, goal);
  return { id, name, unit, value, rounds, goal: goal?.text, met, note };
}

const isMet = (value, { atLeast: least = Number.NEGATIVE_INFINITY, atMost: most = Number.POSITIVE_INFINITY }) =>
  value >= least && value < most;

/**
 * Runs a figure where its file was started by itself; does nothing where it was imported.
 * @param meta `import.meta` of the figure's file
 * @param figure `{ id, title, how, tools, defaults: { rounds, seconds } }`
 * @param measure takes `{ rounds, seconds, quick, say }`, resolves with `{ rows, tables, notes }`
 */
export async function runAlone(meta, figure, measure) {
  if (process.argv[1] !== fileURLToPath(meta.url)) return;
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
    },
  });
  if (values.help) {
    console.log(`node bench/figures/${figure.id}.mjs: ${figure.title}\n\n${HELP}`);
    return;
  }
  if (!isIsolated()) {
    // run.mjs has seen to it for all figures.
    const missing = values.json ? [] : await missingTools(figure.tools);
    for (const line of missing) console.error(line);
    process.exitCode = await isolate(process.argv.slice(1), process.env);
    return;
  }
  const { enterIsolated } = await import('../../dist/testbed/netns/enter.js');
  enterIsolated(() => process.exit(130));
  const { quick } = values;
  const rounds = wholeNumber('--rounds', values.rounds ?? (quick ? 1 : figure.defaults.rounds), 1);
  const seconds = wholeNumber('--seconds', values.seconds ?? (quick ? 1 : figure.defaults.seconds), 0);
  const say = (line) => process.stderr.write(`  ${line}\n`);
  let measured;
  try {
    measured = await measure({ rounds, seconds, quick, say });
  } catch (error) {
    console.error(`Error: ${figure.id}: ${error.message}`);
    process.exit(1);
  }
  // What is scaled down, or a second long, is held against no goal.
  const rows = quick ? measured.rows.map((one) => ({ ...one, met: null })) : measured.rows;
  const result = { ...figure, quick, seconds, ...measured, rows };
  console.log(values.json ? JSON.stringify(result) : figureText(result));
  // The testbed is down and every child has ended; what is left is a channel to the outer process.
  process.exit(0);
}

function wholeNumber(option, text, least) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= least && number <= 1000) return number;
  console.error(`bench: ${option} ${text}: expected a whole number from ${least} to 1000`);
  return process.exit(2);
}
