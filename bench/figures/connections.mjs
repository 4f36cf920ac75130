/**
 * New connections per second of the generator's CPU: the socket engine against wrk, hey, ab, h2load and autocannon.
 *
 *     node bench/figures/connections.mjs [--quick] [--rounds N] [--seconds N] [--json]
 */
import { CLOSED, KEPT, stepAside, withBed } from '../lib/bed.mjs';
import { atLeast, row, runAlone } from '../lib/figure.mjs';
import { generate, generateByEngine, has, TOGETHER, TOOLS } from '../lib/generators.mjs';
import { median } from '../lib/numbers.mjs';

export const figure = {
  id: 'connections',
  title: 'New connections per second of generator CPU',
  how: `One NGINX worker, ${TOGETHER} connections in a closed loop, a new one for each request. CPU is user and system time of the generator's whole process from exec to exit, start-up included; connections are those that the target's kernel has accepted (Tcp.PassiveOpens).`,
  tools: ['wrk', 'hey', 'ab', 'h2load'],
  defaults: { rounds: 5, seconds: 12 },
};

const GOALS = {
  wrk: atLeast(1, '×', 1.3),
  hey: atLeast(1.5, '×'),
  ab: atLeast(1, '×'),
  h2load: atLeast(1, '×'),
  autocannon: atLeast(3, '×'),
};

/**
 * Which way of ours a tool is held against: wrk, hey and h2load close a connection as soon as the answer is whole, where the server has sent its FIN or is about to;
 * ab reads on until the FIN, as a scenario's `close: server` does; autocannon closes a connection that would be kept.
 */
const OURS = {
  wrk: 'socket',
  hey: 'socket',
  ab: 'socket, waiting for the FIN',
  h2load: 'socket',
  autocannon: 'socket, closing first',
};
const JOBS = {
  socket: { port: CLOSED, close: 'client' },
  'socket, waiting for the FIN': { port: CLOSED, close: 'server' },
  'socket, closing first': { port: KEPT, close: 'client' },
};

/** Without wrk to go by. */
const USUAL_RATE = 10_000;

export async function measure({ rounds, seconds, say }) {
  stepAside();
  const tools = Object.keys(TOOLS).filter(has);
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const done = {};
    // wrk goes first: it says how many connections make a measurement of this length.
    if (has('wrk')) done.wrk = await byTool('wrk', seconds);
    const count = done.wrk?.connections ?? USUAL_RATE * seconds;
    const others = [...Object.keys(JOBS), ...tools.filter((name) => name !== 'wrk')];
    // Every other round the other way round: what drifts meets all alike.
    for (const name of round % 2 === 0 ? others : others.reverse())
      done[name] = name in JOBS ? await byEngine(name, count) : await byTool(name, seconds, count);
    runs.push(done);
    const line = Object.entries(done).map(([name, { perCpu }]) => `${name} ${Math.round(perCpu)}`);
    say(`round ${round + 1} of ${rounds}, connections per CPU second: ${line.join(', ')}`);
  }
  return { rows: ratios(runs), tables: [table(runs), startUp(runs)], notes: complaints(runs), runs };
}

const byTool = (name, seconds, count) =>
  withBed({}, async (bed) => {
    const done = await generate(bed, TOOLS[name].closed(bed.address, seconds, count));
    return figures({ ...done, ...TOOLS[name].read(done.stdout) });
  });

const byEngine = (name, count) =>
  withBed({}, async (bed) => {
    const steps = Math.max(1, Math.ceil(count / TOGETHER));
    return figures(await generateByEngine(bed, { engine: 'socket', visitors: TOGETHER, steps, ...JOBS[name] }));
  });

function figures({ connections, seconds, cpu, requests, errors, sending, sendingMs }) {
  const perCpu = connections / cpu.total;
  const perCpuSending = sending === undefined ? undefined : connections / sending.total;
  return { connections, requests, errors, seconds, cpu, perCpu, perCpuSending, sendingMs };
}

function ratios(runs) {
  const against = Object.entries(GOALS).map(([tool, goal]) =>
    row({
      id: `connections.against-${tool}`,
      name: `new connections per CPU second, socket : ${tool}`,
      unit: '×',
      goal,
      rounds: ofRounds(runs, tool, ({ perCpu }) => perCpu),
      note: has(tool) ? undefined : 'it is not installed here',
    }),
  );
  const sending = row({
    id: 'connections.sending-against-wrk',
    name: "… socket : wrk, without the engine's start-up",
    unit: '×',
    rounds: ofRounds(runs, 'wrk', ({ perCpuSending }) => perCpuSending),
  });
  return [against[0], sending, ...against.slice(1)];
}

/** Ours, taken so, against the tool's whole process, in each round. */
const ofRounds = (runs, tool, take) =>
  runs.flatMap((done) => (done[tool] === undefined ? [] : [take(done[OURS[tool]]) / done[tool].perCpu]));

function table(runs) {
  const names = Object.keys(runs[0]);
  const of = (name, take) => median(runs.map((done) => take(done[name])));
  return {
    title: 'Medians of the rounds; microseconds of CPU per connection',
    head: [
      'generator',
      'per CPU second',
      'per second',
      'µs user',
      'µs system',
      'system',
      'connections',
      'answers',
      'errors',
    ],
    rows: names.map((name) => [
      name,
      of(name, ({ perCpu }) => perCpu),
      of(name, ({ connections, seconds }) => connections / seconds),
      of(name, ({ cpu, connections }) => (cpu.user / connections) * 1e6),
      of(name, ({ cpu, connections }) => (cpu.system / connections) * 1e6),
      `${Math.round(of(name, ({ cpu }) => cpu.system / cpu.total) * 100)} %`,
      of(name, ({ connections }) => connections),
      // With -D 1 autocannon does not count its answers.
      name === 'autocannon' ? null : of(name, ({ requests }) => requests),
      runs.reduce((sum, done) => sum + done[name].errors, 0),
    ]),
  };
}

/** wrk has no start-up to speak of; the engine's is paid once per run, whatever its length. */
function startUp(runs) {
  const of = (name, take) => median(runs.map((done) => take(done[name])));
  return {
    title:
      'The engine without its start-up (Node.js, its libraries, the rehearsal on loopback): what a longer run comes to',
    head: [
      '',
      'per CPU second while sending',
      'start-up, s of CPU',
      ...(runs[0].wrk === undefined ? [] : ['against wrk']),
    ],
    rows: Object.keys(JOBS).map((name) => [
      name,
      of(name, ({ perCpuSending }) => perCpuSending),
      of(name, ({ cpu, connections, perCpuSending }) => cpu.total - connections / perCpuSending),
      ...(runs[0].wrk === undefined
        ? []
        : [`${median(runs.map((done) => done[name].perCpuSending / done.wrk.perCpu)).toFixed(2)}×`]),
    ]),
  };
}

/** A connection that was lost, or one that nobody counts, would make the figure wrong. */
function complaints(runs) {
  return Object.keys(runs[0]).flatMap((name) => {
    const errors = runs.reduce((sum, done) => sum + done[name].errors, 0);
    return errors > TOGETHER * runs.length ? [`${name} had ${errors} errors: its figure is not to be trusted.`] : [];
  });
}

await runAlone(import.meta, figure, measure);
