/**
 * Where the generator's time goes: user and system time of the socket engine per connection, beside wrk's, and what each system call takes.
 *
 *     node bench/figures/where-time-goes.mjs [--quick] [--rounds N] [--seconds N] [--json]
 */
import { CLOSED, stepAside, withBed } from '../lib/bed.mjs';
import { callsArgv } from '../lib/calls.mjs';
import { row, runAlone } from '../lib/figure.mjs';
import { generate, generateByEngine, has, TOGETHER, TOOLS } from '../lib/generators.mjs';
import { median } from '../lib/numbers.mjs';

export const figure = {
  id: 'where-time-goes',
  title: 'Where the time goes',
  how: `User and system time per new connection of the sending thread (getrusage, RUSAGE_THREAD), as in the figure of new connections; and the calls of its way by epoll made one after the other, each timed by itself (median, without the cost of taking the time): what the kernel does at once, such as the target's share of a handshake on this virtual cable, is in them.`,
  tools: ['wrk', 'nginx'],
  defaults: { rounds: 3, seconds: 5 },
};

const USUAL_RATE = 10_000;
const CALLS = 5000;
const QUICK_CALLS = 300;

export async function measure({ rounds, seconds, quick, say }) {
  stepAside();
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const wrk = has('wrk')
      ? await withBed({}, async (bed) => generate(bed, TOOLS.wrk.closed(bed.address, seconds)))
      : undefined;
    const steps = Math.max(1, Math.ceil((wrk?.connections ?? USUAL_RATE * seconds) / TOGETHER));
    const job = { engine: 'socket', visitors: TOGETHER, steps, port: CLOSED, close: 'server' };
    const socket = await withBed({}, (bed) => generateByEngine(bed, job));
    const timed = await withBed({}, async (bed) => {
      const argv = callsArgv({
        netns: bed.generator.netns,
        address: bed.address,
        port: CLOSED,
        count: quick ? QUICK_CALLS : CALLS,
      });
      return JSON.parse((await generate(bed, argv, { netns: null })).stdout.trim().split('\n').at(-1));
    });
    runs.push({ wrk: wrk && perConnection(wrk.cpu, wrk.connections), ...ofSocket(socket), calls: timed.calls });
    const { thread } = runs.at(-1);
    say(
      `round ${round + 1} of ${rounds}: the sending thread takes ${thread.user.toFixed(1)} µs user, ${thread.system.toFixed(1)} µs system per connection`,
    );
  }
  const share = runs.map(({ thread }) => (thread.system / thread.total) * 100);
  return {
    rows: [
      row({
        id: 'where.system-share',
        name: "the kernel's share of the sending thread's time",
        unit: '%',
        rounds: share,
      }),
    ],
    tables: [shares(runs), callTable(runs)],
    runs,
  };
}

const perConnection = ({ user, system }, connections) => ({
  user: (user / connections) * 1e6,
  system: (system / connections) * 1e6,
  total: ((user + system) / connections) * 1e6,
});

function ofSocket({ connections, report, sending, cpu }) {
  const thread = { user: report.userSeconds, system: report.systemSeconds };
  const beside = { user: Math.max(0, sending.user - thread.user), system: Math.max(0, sending.system - thread.system) };
  const startUp = { user: cpu.user - sending.user, system: cpu.system - sending.system };
  return {
    thread: perConnection(thread, connections),
    beside: perConnection(beside, connections),
    startUp: perConnection(startUp, connections),
  };
}

function shares(runs) {
  const parts = [
    ['socket: the sending thread', 'thread'],
    ["socket: the process's other threads while it sends (main thread, compiler, collector)", 'beside'],
    ['socket: start-up and end, shared out over these connections', 'startUp'],
    ['wrk, whole process', 'wrk'],
  ];
  return {
    title: 'µs of CPU per connection; medians of the rounds',
    head: ['', 'user', 'system', 'together'],
    rows: parts
      .filter(([, key]) => runs[0][key] !== undefined)
      .map(([name, key]) => [
        name,
        ...['user', 'system', 'total'].map((kind) => median(runs.map((run) => run[key][kind]))),
      ]),
  };
}

function callTable(runs) {
  const names = runs[0].calls.map(({ call }) => call);
  const lines = names.map((name) => {
    const of = (take) => median(runs.map(({ calls }) => take(calls.find(({ call }) => call === name))));
    return { name, each: of(({ each }) => each), us: of(({ us }) => us) };
  });
  const together = lines.reduce((sum, { each, us }) => sum + each * us, 0);
  return {
    title: 'The calls of one connection, made one at a time; under load the engine waits once for the events of many',
    head: ['call', 'per connection', 'µs each', 'µs per connection', 'of all calls'],
    rows: [
      ...lines.map(({ name, each, us }) => [
        name,
        each,
        us,
        each * us,
        `${Math.round(((each * us) / together) * 100)} %`,
      ]),
      ['together', lines.reduce((sum, { each }) => sum + each, 0), '', together, ''],
    ],
  };
}

await runAlone(import.meta, figure, measure);
