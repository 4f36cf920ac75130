/**
 * Requests on kept connections per second of the generator's CPU: the socket engine against undici and autocannon.
 *
 *     node bench/figures/keep-alive.mjs [--quick] [--rounds N] [--seconds N] [--json]
 */
import { KEPT, stepAside, withBed } from '../lib/bed.mjs';
import { refusalOf } from '../lib/engine.mjs';
import { atLeast, row, runAlone } from '../lib/figure.mjs';
import { generate, generateByEngine, TOGETHER, TOOLS } from '../lib/generators.mjs';
import { median } from '../lib/numbers.mjs';

export const figure = {
  id: 'keep-alive',
  title: 'Keep-alive: requests per second of generator CPU',
  how: `One NGINX worker, ${TOGETHER} connections in a closed loop that are kept: \`per-visitor\` of ${TOGETHER} visitors without think time, and \`pooled: ${TOGETHER}\`. All send as many requests as autocannon did in the time given. CPU is that of the whole process from exec to exit.`,
  tools: ['nginx'],
  defaults: { rounds: 5, seconds: 6 },
};

const ENGINE_RUNS = {
  'socket, per-visitor': { engine: 'socket', connections: { mode: 'per-visitor' } },
  'socket, pooled': { engine: 'socket', connections: { mode: 'pooled', size: TOGETHER } },
  'undici, per-visitor': { engine: 'undici', connections: { mode: 'per-visitor' } },
  'undici, pooled': { engine: 'undici', connections: { mode: 'pooled', size: TOGETHER } },
};

/** Ours, theirs. */
const PAIRS = [
  ['socket, per-visitor', 'undici, per-visitor'],
  ['socket, per-visitor', 'undici, pooled'],
  ['socket, pooled', 'undici, pooled'],
  ['socket, per-visitor', 'autocannon'],
  ['socket, pooled', 'autocannon'],
];

export async function measure({ rounds, seconds, say }) {
  stepAside();
  const job = (name, steps) => ({ ...ENGINE_RUNS[name], visitors: TOGETHER, steps, port: KEPT });
  const refusals = {};
  for (const name of Object.keys(ENGINE_RUNS))
    refusals[name] = await refusalOf({ address: '', netns: null, ...job(name, 1) });
  const names = Object.keys(ENGINE_RUNS).filter((name) => refusals[name] === undefined);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const done = {};
    done.autocannon = await withBed({}, async (bed) => {
      const { stdout, ...taken } = await generate(bed, TOOLS.autocannon.kept(bed.address, seconds));
      return figures({ ...taken, ...TOOLS.autocannon.read(stdout) });
    });
    const steps = Math.max(1, Math.ceil(done.autocannon.requests / TOGETHER));
    for (const name of round % 2 === 0 ? names : names.toReversed())
      done[name] = await withBed({}, async (bed) => figures(await generateByEngine(bed, job(name, steps))));
    runs.push(done);
    const line = Object.entries(done).map(([name, { perCpu }]) => `${name} ${Math.round(perCpu)}`);
    say(`round ${round + 1} of ${rounds}, requests per CPU second: ${line.join('; ')}`);
  }
  const all = ['autocannon', ...names];
  const of = (name, take) => median(runs.map((done) => take(done[name])));
  return {
    rows: PAIRS.map(([ours, theirs]) =>
      row({
        id: `keep-alive.${ours.replace(', ', '-')}-against-${theirs.replace(', ', '-')}`,
        name: `keep-alive: requests per CPU second, ${ours} : ${theirs}`,
        unit: '×',
        goal: atLeast(1, '×'),
        rounds: refusals[ours] === undefined ? runs.map((done) => done[ours].perCpu / done[theirs].perCpu) : [],
        note: refusals[ours],
      }),
    ),
    tables: [
      {
        title: 'Medians of the rounds; microseconds of CPU per request',
        head: [
          'generator',
          'per CPU second',
          'per second',
          'µs user',
          'µs system',
          'requests',
          'connections',
          'errors',
        ],
        rows: all.map((name) => [
          name,
          of(name, ({ perCpu }) => perCpu),
          of(name, ({ requests, seconds: took }) => requests / took),
          of(name, ({ cpu, requests }) => (cpu.user / requests) * 1e6),
          of(name, ({ cpu, requests }) => (cpu.system / requests) * 1e6),
          of(name, ({ requests }) => requests),
          of(name, ({ connections }) => connections),
          runs.reduce((sum, done) => sum + done[name].errors, 0),
        ]),
      },
    ],
    runs,
  };
}

const figures = ({ requests, connections, errors, seconds, cpu }) => ({
  requests,
  connections,
  errors,
  seconds,
  cpu,
  perCpu: requests / cpu.total,
});

await runAlone(import.meta, figure, measure);
