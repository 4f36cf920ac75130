/**
 * What the time series costs: the product's sampler, ten times a second, of a host that has 50,000 sockets.
 *
 *     node bench/figures/sampler.mjs [--quick] [--rounds N] [--seconds N] [--json]
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { runClock } from '../../dist/observe/clock.js';
import { makeSampler } from '../../dist/observe/sampler.js';
import { DEFAULT_FRAMES } from '../../dist/observe/syn-tap.js';
import { watchHost } from '../../dist/observe/watch-host.js';
import { C, close, connect, sockaddrIn, socket } from '../../dist/sys/libc.js';
import { inNamespace } from '../../dist/sys/namespace.js';
import { outcomes } from '../../dist/traffic/outcomes.js';
import { withBed } from '../lib/bed.mjs';
import { atMost, row, runAlone } from '../lib/figure.mjs';
import { holdArgv, PER_PROCESS } from '../lib/hold.mjs';
import { median, percentile, readable } from '../lib/numbers.mjs';

export const figure = {
  id: 'sampler',
  title: 'The sampler at 10 Hz, with 50,000 sockets in the host',
  how: 'Other processes hold 50,000 connections from one host to another. This process watches the first host as a run does – sampler, socket counts by sock_diag, SYN tap, counters – ten times a second, and does nothing else: its CPU, user and system, by getrusage.',
  tools: ['nginx'],
  defaults: { rounds: 3, seconds: 10 },
};

const SOCKETS = 50_000;
const QUICK_SOCKETS = 2000;
const HZ = 10;
const WARM_UP_SECONDS = 3;
const RANGE = { lo: 1024, hi: 65_535 };
const FIRST_PORT = 9000;
const SOCKADDR_BYTES = 16;

export async function measure({ rounds, seconds, quick, say }) {
  const sockets = quick ? QUICK_SOCKETS : SOCKETS;
  const runs = [];
  await withBed({}, async (bed) => {
    const holders = [];
    try {
      const targets = await openAll(bed, sockets, holders);
      for (let round = 0; round < rounds; round++) {
        const run = {
          still: await sampled(bed, targets, seconds),
          moving: await sampled(bed, targets, seconds, touch),
        };
        runs.push(run);
        const { still, moving } = run;
        say(
          `round ${round + 1} of ${rounds}: ${readable(still.share)} % of a core, ${readable(moving.share)} % where something moves`,
        );
      }
    } finally {
      for (const child of holders) child.kill('SIGKILL');
    }
  });
  return {
    rows: [
      row({
        id: 'sampler.share',
        name: `sampler at ${HZ} Hz with ${readable(sockets)} sockets, of a core`,
        unit: '%',
        goal: atMost(1, ' %'),
        rounds: runs.map(({ still }) => still.share),
        note: quick ? `scaled down from ${readable(SOCKETS)} sockets (--quick)` : undefined,
      }),
      row({
        id: 'sampler.share-moving',
        name: '… with a connection between any two samples, so that all are walked through',
        unit: '%',
        rounds: runs.map(({ moving }) => moving.share),
      }),
    ],
    tables: [
      {
        title: 'By round',
        head: [
          'round',
          '',
          'sockets counted',
          'samples',
          'samples per second',
          'ms of CPU per sample',
          'of it system',
          'ms blocked, median',
          'ms blocked, most',
        ],
        rows: runs.flatMap((both, index) =>
          Object.entries(both).map(([name, run]) => [
            index + 1,
            name,
            run.counted,
            run.samples,
            run.samples / run.seconds,
            (run.cpu.total / run.samples) * 1000,
            `${Math.round((run.cpu.system / run.cpu.total) * 100)} %`,
            median(run.busyMs),
            percentile(run.busyMs, 1),
          ]),
        ),
      },
    ],
    runs,
  };
}

/** Starts processes that hold so many connections; resolves with where they lead once all are established. */
async function openAll(bed, sockets, holders) {
  const targets = [];
  for (let open = 0; open < sockets; open += PER_PROCESS) {
    const port = FIRST_PORT + targets.length;
    const [command, ...argv] = holdArgv({
      client: bed.generator.netns,
      server: bed.target.netns,
      address: bed.address,
      ports: [port],
      count: Math.min(PER_PROCESS, sockets - open),
    });
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    holders.push(child);
    targets.push({ address: bed.address, port });
    const [said] = await Promise.race([once(child.stdout, 'data'), once(child, 'exit')]);
    if (!String(said).startsWith('holding')) throw new Error('a process could not hold its connections');
  }
  return targets;
}

/** Begins a connection of the host and ends it again. */
function touch(bed, { address, port }) {
  const fd = inNamespace(bed.generator.netns, () => socket(C.AF_INET, C.SOCK_STREAM | C.SOCK_NONBLOCK, 0));
  connect(fd, sockaddrIn(address, port), SOCKADDR_BYTES);
  close(fd);
}

/** `between` is called before each sample, and its time is not counted. */
async function sampled(bed, targets, seconds, between = () => {}) {
  const clock = runClock(process.hrtime.bigint());
  const watchedPorts = { range: RANGE, targets };
  const order = {
    host: 'generator',
    clock,
    forwards: false,
    tracksConnections: false,
    forwardRulesInstalled: false,
    watchedPorts,
    frames: DEFAULT_FRAMES,
    processes: [],
  };
  const watch = await watchHost(order, bed.generator.netns, (...run) => bed.generator.run(...run));
  const pool = { capacity: RANGE.hi - RANGE.lo + 1, countedBy: 'sockets', watched: watchedPorts };
  const sampler = makeSampler([{ node: 'generator', pool, watch }], { clock, outcomes: outcomes(1, 1) });
  // What a run has after its first seconds: compiled code, and what its start has left over collected.
  for (let sample = 0; sample < WARM_UP_SECONDS * HZ; sample++) {
    await sampler.take();
    await sleep(1000 / HZ);
  }
  const busyMs = [];
  let aside = 0;
  const before = process.cpuUsage();
  const began = performance.now();
  for (let sample = 0; sample < seconds * HZ; sample++) {
    await sleep(Math.max(0, began + (sample * 1000) / HZ - performance.now()));
    const atStart = process.cpuUsage();
    between(bed, targets[0]);
    const { user, system } = process.cpuUsage(atStart);
    aside += user + system;
    busyMs.push(await sampler.take());
  }
  await sleep(Math.max(0, began + seconds * 1000 - performance.now()));
  const passed = (performance.now() - began) / 1000;
  const { user, system } = process.cpuUsage(before);
  await watch.stop();
  const cpu = { system: system / 1e6, total: (user + system - aside) / 1e6 };
  const counted = Object.values(sampler.samples.at(-1).states.generator ?? {}).reduce((sum, count) => sum + count, 0);
  // Of as many samples as ten a second make, also where the machine was too busy for that.
  const share = (cpu.total / (busyMs.length / HZ)) * 100;
  return { counted, samples: busyMs.length, seconds: passed, cpu, share, busyMs };
}

await runAlone(import.meta, figure, measure);
