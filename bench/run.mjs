/**
 * All figures in one run, side by side: prints the table of this machine, ratios first, with the goals beside them, and writes it to
 * bench/results/ as JSON and as Markdown.
 *
 *     npm run bench [-- --quick] [--only NAME[,NAME]] [--rounds N] [--seconds N] [--out DIR]
 *
 * A goal that is missed is no error: the exit code is 0 where everything could be measured, else 1.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { outputOf } from '../dist/sys/child-output.js';
import { figure as attribution } from './figures/attribution.mjs';
import { figure as connections } from './figures/connections.mjs';
import { figure as held } from './figures/held-connections.mjs';
import { figure as keepAlive } from './figures/keep-alive.mjs';
import { figure as lateness } from './figures/lateness.mjs';
import { figure as sampler } from './figures/sampler.mjs';
import { figure as testbed } from './figures/testbed.mjs';
import { figure as whereTimeGoes } from './figures/where-time-goes.mjs';
import { machineNow } from './lib/machine.mjs';
import { page, summaryText } from './lib/print.mjs';
import { missingTools } from './lib/tools.mjs';

const FIGURES = [connections, lateness, held, keepAlive, sampler, attribution, testbed, whereTimeGoes];
/** A figure that takes longer is ended, minutes. */
const LONGEST = 20;

/** The figure that runs: whoever ends this program ends it too, and the kernel all that it has started. */
let underWay;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
  process.on(signal, () => {
    underWay?.kill('SIGTERM');
    process.exit(130);
  });

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    out: { type: 'string', default: fileURLToPath(new URL('results', import.meta.url)) },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) printHelp();
else await bench();

function printHelp() {
  console.log(`npm run bench [-- OPTION ...]

  --quick        one round of a second each: does it run at all? The figures are worth nothing
  --only NAMES   some of the figures: ${FIGURES.map(({ id }) => id).join(',')};
                 the others stay in the day's file as they are
  --rounds N     rounds of each, instead of its own number
  --seconds N    length of one measurement, instead of its own
  --out DIR      where the results go, instead of bench/results`);
}

async function bench() {
  const names = values.only?.split(',');
  const unknown = names?.filter((name) => !FIGURES.some(({ id }) => id === name)) ?? [];
  if (unknown.length > 0) {
    console.error(
      `bench: no figure is called ${unknown.join(', ')}; there are ${FIGURES.map(({ id }) => id).join(', ')}`,
    );
    process.exitCode = 2;
    return;
  }
  const chosen = FIGURES.filter(({ id }) => names === undefined || names.includes(id));
  for (const line of await missingTools([...new Set(chosen.flatMap(({ tools }) => tools))])) console.error(line);
  const machine = machineNow();
  const figures = [];
  for (const figure of chosen) {
    console.error(`${figure.title} …`);
    const done = await measured(figure);
    if (done.error !== undefined) console.error(`  not measured: ${done.error}`);
    figures.push(done);
  }
  console.log(summaryText(figures.flatMap(({ rows }) => rows)));
  const path = join(values.out, `${machine.fileName}${values.quick ? '-quick' : ''}`);
  write(path, {
    schema: 'portparty/bench@1',
    quick: values.quick,
    machine: machine.finish(),
    figures: inOrder([...figures, ...(names === undefined ? [] : othersOf(path, chosen))]),
  });
  if (figures.some(({ error }) => error !== undefined)) process.exitCode = 1;
}

/** One figure in a process of its own, and so in namespaces of its own: what goes wrong there ends there. */
async function measured(figure) {
  const file = fileURLToPath(new URL(`figures/${figure.id}.mjs`, import.meta.url));
  const options = ['rounds', 'seconds'].flatMap((name) =>
    values[name] === undefined ? [] : [`--${name}`, values[name]],
  );
  const child = spawn(process.execPath, [file, '--json', ...options, ...(values.quick ? ['--quick'] : [])]);
  child.stderr.pipe(process.stderr, { end: false });
  underWay = child;
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST * 60_000);
  try {
    const { code, signal, stdout, stderr } = await outputOf(child, '');
    if (code === 0) return JSON.parse(stdout.trim().split('\n').at(-1));
    const words =
      stderr
        .trim()
        .split('\n')
        .findLast((line) => /Error: /.test(line)) ?? '';
    return { ...figure, rows: [], error: `${signal ?? `exit code ${code}`} ${words}`.trim() };
  } finally {
    clearTimeout(timer);
  }
}

/** With --only, the day's other figures stay in its file, and say that they are of another run. */
function othersOf(path, chosen) {
  if (!existsSync(`${path}.json`)) return [];
  const { figures, machine } = JSON.parse(readFileSync(`${path}.json`, 'utf8'));
  return figures
    .filter((figure) => !chosen.some(({ id }) => id === figure.id))
    .map((figure) => ({ ...figure, run: figure.run ?? machine.facts.begun }));
}

function inOrder(figures) {
  return FIGURES.flatMap(({ id }) => figures.filter((figure) => figure.id === id));
}

function write(path, result) {
  mkdirSync(values.out, { recursive: true });
  writeFileSync(`${path}.json`, `${JSON.stringify(result)}\n`);
  writeFileSync(`${path}.md`, `${page(result)}\n`);
  console.log(`${path}.md\n${path}.json`);
}
