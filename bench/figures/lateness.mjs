/**
 * Open loop at 5,000 requests a second: how late is each sent, against its plan? The socket engine, and what the packets on the wire say of
 * it and of `hey -q`, `h2load --rate` and `autocannon --overallRate`; of `h2load --rps`, what its own log says.
 *
 *     node bench/figures/lateness.mjs [--quick] [--rounds N] [--seconds N] [--json]
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runClock } from '../../dist/observe/clock.js';
import { timeAt } from '../../dist/observe/narrow.js';
import { OUTGOING, TcpFlag } from '../../dist/observe/observations.js';
import { openTap } from '../../dist/observe/syn-tap.js';
import { outputOf } from '../../dist/sys/child-output.js';
import { ALONE, CLOSED, on, PLACES, stepAside, withBed } from '../lib/bed.mjs';
import { atLeast, atMost, row, runAlone } from '../lib/figure.mjs';
import { generate, generateByEngine, has, TOOLS } from '../lib/generators.mjs';
import { median, percentile, readable } from '../lib/numbers.mjs';

export const figure = {
  id: 'lateness',
  title: 'Open loop at 5,000 a second: the send against its plan',
  how: 'One NGINX worker, a new connection for each request. The engine tells its lateness itself: the moment before connect(2) against the planned one. Of all generators alike, the tap of their host tells when each SYN left (kernel timestamps); it is held against an even plan of one each 200 µs, laid so that half of the SYNs are before it and half behind. How far off is the 99th percentile? h2load keeps to --rps on kept connections alone, which send no SYNs: of it, its own log of send times (--log-file) counts.',
  tools: ['hey', 'h2load'],
  defaults: { rounds: 5, seconds: 10 },
};

const RATE = 5000;
const GAP_NS = 1e9 / RATE;
/** For the tools whose rate is one per worker or connection. */
const WORKERS = 50;
/** Start-up of the generator, s: not part of the figure for anybody. */
const SKIPPED = 0.5;
const DRAIN_MS = 20;
const FRAMES = 131_072;
/** The generators beside ours: the tool, and how it sends. */
const OTHERS = {
  'hey -q': { tool: 'hey', send: 'paced' },
  'h2load --rps': { tool: 'h2load', send: 'pacedKept' },
  'h2load --rate': { tool: 'h2load', send: 'paced' },
  'autocannon --overallRate': { tool: 'autocannon', send: 'paced' },
};

/** A loop on the generator's processors that does nothing but read the clock: how late it is for the same plan is the machine's doing. */
const CLOCK_READER = fileURLToPath(new URL('../lib/clock-reader.mjs', import.meta.url));
const MACHINE = 'machine';

export async function measure({ rounds, seconds, say }) {
  stepAside();
  const names = ['socket', ...Object.keys(OTHERS).filter((name) => has(OTHERS[name].tool))];
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const done = {};
    for (const name of round % 2 === 0 ? names : names.toReversed()) done[name] = await watched(name, seconds);
    done[MACHINE] = await clockRead(seconds);
    runs.push(done);
    const line = [...names, MACHINE].map((name) => `${name} ${readable(done[name].p99Us)}`);
    say(`round ${round + 1} of ${rounds}, µs off the plan (p99): ${line.join(', ')}`);
  }
  const { generator } = PLACES;
  return {
    rows: rowsOf(runs),
    tables: [table(runs, names)],
    notes: [
      generator === undefined
        ? 'Generator and target share one processor here: the lateness is that of both.'
        : `The generators had processor ${generator} to themselves as far as this benchmark goes; NGINX, the tap and the benchmark had another. Of the engine, the sending thread was there, alone, and the rest of its process with the others, as \`--pin\` has it from four cores on.`,
      `A loop that does nothing but read the clock on the generator's processor lost ${percent(median(runs.map(({ machine }) => machine.lost)))} of its time in gaps of over 200 µs: no generator's p99 is below 200 µs where that is more than 1 %.`,
    ],
    runs,
  };
}

function rowsOf(runs) {
  const socket = runs.map(({ socket: one }) => one);
  return [
    row({
      id: 'lateness.own-p99',
      name: `p99 lateness of the send at ${RATE.toLocaleString('en-US')}/s, socket, by its own account`,
      unit: 'µs',
      goal: atMost(200, ' µs'),
      rounds: socket.map(({ ownP99Us }) => ownP99Us),
    }),
    row({
      id: 'lateness.machine-p99',
      name: '… of a loop that only reads the clock there: what the machine takes away',
      unit: 'µs',
      rounds: runs.map(({ machine }) => machine.p99Us),
    }),
    row({
      id: 'lateness.wire-p99',
      name: '… p99 off the plan, by the SYNs on the wire',
      unit: 'µs',
      rounds: socket.map(({ p99Us }) => p99Us),
    }),
    ...Object.keys(OTHERS).map((name) =>
      row({
        id: `lateness.against-${name.replace(' --', '-').replace(' -', '-')}`,
        name: `p99 off the plan, ${name} : socket`,
        unit: '×',
        goal: atLeast(1, '×'),
        rounds: runs.flatMap((done) => (done[name] === undefined ? [] : [done[name].p99Us / done.socket.p99Us])),
        note: has(OTHERS[name].tool) ? undefined : 'it is not installed here',
      }),
    ),
  ];
}

function table(runs, names) {
  const of = (name, take) => median(runs.map((done) => take(done[name])));
  return {
    title: 'SYNs (of h2load --rps, requests) against an even plan, µs; medians of the rounds',
    head: ['generator', 'p50', 'p99', 'p99.9', 'most', 'sent', 'of planned', 'repeated SYNs', 'errors'],
    rows: names.map((name) => [
      name,
      of(name, ({ p50Us }) => p50Us),
      of(name, ({ p99Us }) => p99Us),
      of(name, ({ p999Us }) => p999Us),
      of(name, ({ mostUs }) => mostUs),
      of(name, ({ sent }) => sent),
      `${(of(name, ({ share }) => share) * 100).toFixed(1)} %`,
      of(name, ({ repeated }) => repeated),
      runs.reduce((sum, done) => sum + done[name].errors, 0),
    ]),
  };
}

const percent = (share) => `${(share * 100).toFixed(1)} %`;

async function clockRead(seconds) {
  const [command, ...rest] = on(PLACES.generator, [process.execPath, CLOCK_READER, String(RATE), String(seconds)]);
  const { code, stdout, stderr } = await outputOf(spawn(command, rest), '');
  if (code !== 0) throw new Error(`the clock could not be read: ${stderr.trim()}`);
  return JSON.parse(stdout);
}

/** Lets one generator send while its host's tap is open. */
function watched(name, seconds) {
  return withBed({}, async (bed) => {
    const tap = await openTap(bed.generator, runClock(process.hrtime.bigint()), FRAMES);
    const timer = setInterval(() => tap.drain(), DRAIN_MS);
    let table;
    try {
      const { logged, ...sent } = await send(name, bed, seconds);
      table = tap.close();
      const { times, repeated } = logged === undefined ? firstSyns(table) : { times: logged, repeated: 0 };
      return { ...against(times, seconds), repeated, ...sent };
    } finally {
      clearInterval(timer);
      if (table === undefined) tap.close();
    }
  });
}

async function send(name, bed, seconds) {
  if (name === 'socket') {
    const { sendOn, place } = ALONE;
    const job = { engine: 'socket', rate: RATE, seconds, port: CLOSED, close: 'server', sendOn };
    const { report, errors } = await generateByEngine(bed, job, { place });
    return {
      errors,
      ownP50Us: report.lateP50Ms * 1000,
      ownP99Us: report.lateP99Ms * 1000,
      ownMostUs: report.lateMaxMs * 1000,
    };
  }
  const { tool, send: how } = OTHERS[name];
  const log = join(bed.generator.logDir, 'sent.log');
  const { stdout } = await generate(bed, TOOLS[tool][how](bed.address, { rate: RATE, seconds, workers: WORKERS, log }));
  const { errors } = TOOLS[tool].read(stdout);
  return how === 'pacedKept' ? { errors, logged: sendTimes(readFileSync(log, 'utf8')) } : { errors };
}

/** Of h2load's log, one request a line: the send in microseconds of Unix time comes first. As ns since the first, sorted. */
function sendTimes(log) {
  const times = log
    .trim()
    .split('\n')
    .map((line) => Number(line.split('\t', 1)[0]))
    .sort((a, b) => a - b);
  return times.map((us) => (us - times[0]) * 1000);
}

/** When the first SYN of each connection left, ns, and how many were sent again. */
function firstSyns({ length, times: taken, flags, isn, sourcePort, kernelDrops }) {
  if (kernelDrops > 0) throw new Error(`the tap missed ${kernelDrops} packets`);
  const seen = new Set();
  const times = [];
  let repeated = 0;
  for (let at = 0; at < length; at++) {
    if ((flags[at] & (OUTGOING | TcpFlag.syn | TcpFlag.ack)) !== (OUTGOING | TcpFlag.syn)) continue;
    const key = isn[at] * 65_536 + sourcePort[at];
    if (seen.has(key)) repeated++;
    else times.push(timeAt(taken, at));
    seen.add(key);
  }
  return { times, repeated };
}

/** How far, by rank, the sends are off the even plan that fits them best, µs. */
function against(all, seconds) {
  const begin = all[0] + SKIPPED * 1e9;
  const times = all.filter((ns) => ns >= begin);
  const offsets = times.map((ns, index) => ns - begin - index * GAP_NS);
  const middle = median(offsets);
  const off = offsets.map((offset) => Math.abs(offset - middle) / 1000);
  return {
    p50Us: percentile(off, 0.5),
    p99Us: percentile(off, 0.99),
    p999Us: percentile(off, 0.999),
    mostUs: percentile(off, 1),
    sent: all.length,
    share: all.length / (seconds * RATE),
  };
}

await runAlone(import.meta, figure, measure);
