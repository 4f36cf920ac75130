/**
 * Connections held at once by one generator host to one destination, and the memory that each takes in the processes that hold them.
 *
 *     node bench/figures/held-connections.mjs [--quick] [--rounds N] [--json]
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSocketCounter } from '../../dist/observe/sock-diag.js';
import { descriptorLimit } from '../../dist/sys/descriptors.js';
import { KEPT, withBed } from '../lib/bed.mjs';
import { ownMemory } from '../lib/cpu.mjs';
import { engineArgv } from '../lib/engine.mjs';
import { atLeast, atMost, row, runAlone } from '../lib/figure.mjs';
import { readable } from '../lib/numbers.mjs';

const PORTS = { lo: 1024, hi: 65_535 };
const ALL_PORTS = PORTS.hi - PORTS.lo + 1;

export const figure = {
  id: 'held-connections',
  title: 'Connections held at once by one generator host',
  how: `Journey \`hold\` of the socket engine to one address and port, split over as many processes as the limit of descriptors asks for; ${ALL_PORTS.toLocaleString('en-US')} source ports. Held are those that the kernel has as ESTABLISHED to that destination at one moment (sock_diag). Memory is anonymous memory of the holding processes: what a tenth of the connections takes less than all of them, divided by the difference.`,
  tools: ['nginx'],
  defaults: { rounds: 3, seconds: 16 },
};

/** Descriptors of a process that are no connections of this figure: the engine asks for some in reserve. */
const BESIDE = 1500;
/** So long after the last was due nothing is waited for any more, s. */
const PATIENCE = 30;
const POLL_MS = 250;

export async function measure({ rounds, seconds, quick, say }) {
  const wanted = quick ? 3000 : ALL_PORTS;
  const processes = quick ? 2 : Math.ceil(wanted / Math.max(500, descriptorLimit() - BESIDE));
  const runs = [];
  for (let round = 0; round < rounds; round++) {
    const few = await held(Math.round(wanted / 10), processes, seconds);
    const all = await held(wanted, processes, seconds);
    const bytesEach = (all.bytes - few.bytes) / (all.held - few.held);
    runs.push({ few, all, bytesEach });
    say(`round ${round + 1} of ${rounds}: ${readable(all.held)} held, ${readable(bytesEach)} bytes each`);
  }
  const limit = descriptorLimit();
  return {
    rows: [
      row({
        id: 'held.connections',
        name: 'connections held at once to one destination',
        unit: '',
        goal: atLeast(ALL_PORTS),
        rounds: runs.map(({ all }) => all.held),
        note: quick ? `scaled down to ${readable(wanted)} (--quick)` : undefined,
      }),
      row({
        id: 'held.bytes',
        name: 'user memory of each',
        unit: 'bytes',
        goal: atMost(600, ' bytes'),
        rounds: runs.map(({ bytesEach }) => bytesEach),
      }),
    ],
    tables: [
      {
        title: 'All of them, by round',
        head: [
          'round',
          'asked for',
          'held',
          'processes',
          'MB of all processes',
          'bytes per connection, all counted',
          'seconds',
        ],
        rows: runs.map(({ all }, index) => [
          index + 1,
          wanted,
          all.held,
          processes,
          all.bytes / 1e6,
          all.bytes / all.held,
          all.seconds,
        ]),
      },
    ],
    notes: [
      `A process may have ${readable(limit)} descriptors here; ${processes} processes held the connections, and ${processes} workers of NGINX answered them.`,
    ],
    runs,
  };
}

/** Opens so many connections evenly in `seconds`, and looks at them once all are established, or no more come. */
function held(count, processes, seconds) {
  return withBed({ workers: processes }, async (bed) => {
    const children = Array.from({ length: processes }, (_, index) => holder(bed, [index, processes], count, seconds));
    const counter = openSocketCounter(bed.generator.netns, {
      range: PORTS,
      targets: [{ address: bed.address, port: KEPT }],
    });
    const began = performance.now();
    try {
      let most = 0;
      for (let looks = 0; looks < ((seconds + PATIENCE) * 1000) / POLL_MS; looks++) {
        await sleep(POLL_MS);
        const { ESTABLISHED: now = 0 } = counter.count().states;
        most = Math.max(most, now);
        if (most >= count) break;
        if (children.some(({ exitCode, signalCode }) => exitCode !== null || signalCode !== null)) break;
      }
      // Answers to the last of them are on their way.
      await sleep(POLL_MS);
      return {
        held: counter.count().states.ESTABLISHED ?? 0,
        bytes: children.reduce((sum, { pid }) => sum + ownMemory(pid), 0),
        seconds: (performance.now() - began) / 1000,
      };
    } finally {
      counter.close();
      for (const child of children) child.kill('SIGKILL');
    }
  });
}

function holder(bed, part, count, seconds) {
  const job = {
    engine: 'socket',
    netns: bed.generator.netns,
    address: bed.address,
    port: KEPT,
    rate: count / seconds,
    seconds,
    // Until they are ended.
    holdForMs: 600_000,
    part,
  };
  const [command, ...argv] = engineArgv(job);
  return spawn(command, argv, { stdio: ['ignore', 'ignore', 'inherit'] });
}

await runAlone(import.meta, figure, measure);
