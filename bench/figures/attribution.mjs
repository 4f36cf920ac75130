/**
 * From the end of the sending to the whole record of 1,000,000 requests: time and memory.
 *
 *     node bench/figures/attribution.mjs [--quick] [--rounds N] [--json]
 */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { outputOf } from '../../dist/sys/child-output.js';
import { SCRATCH_ROOT } from '../../dist/testbed/netns/enter.js';
import { attributeArgv } from '../lib/attribute.mjs';
import { atMost, row, runAlone } from '../lib/figure.mjs';
import { lostOf, madeScenario, writeLogs } from '../lib/made-trial.mjs';
import { readable } from '../lib/numbers.mjs';

export const figure = {
  id: 'attribution',
  title: 'Attribution and record of 1,000,000 requests',
  how: 'A made trial – four clients, a gateway whose pool runs out, two servers, a new connection for each request, every 20th lost, every 100th late by a repeated SYN – goes the way of a run from the end of its sending: logs read, every lost and late request attributed, all files of the record written, in memory (tmpfs). In a process of its own. Its memory is the most that it had in use at once on that way, with the outcomes and observations that a run of this size has in memory by then.',
  tools: [],
  defaults: { rounds: 3, seconds: 0 },
};

const REQUESTS = 1_000_000;
const QUICK_REQUESTS = 20_000;
const LONGEST_MS = 300_000;

export async function measure({ rounds, quick, say }) {
  const requests = quick ? QUICK_REQUESTS : REQUESTS;
  const folder = mkdtempSync(join(SCRATCH_ROOT, 'bench-'));
  const runs = [];
  try {
    const logs = makeLogs(folder, requests);
    for (let round = 0; round < rounds; round++) {
      const outDir = join(folder, `results-${round}`);
      const done = await attributed({ requests, logs, outDir });
      done.recordMb = readdirSync(done.dir).reduce((sum, file) => sum + statSync(join(done.dir, file)).size, 0) / 1e6;
      rmSync(outDir, { recursive: true });
      runs.push(done);
      say(`round ${round + 1} of ${rounds}: ${readable(done.seconds)} s, ${readable(done.mostMb)} MB`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const note = quick ? `scaled down from ${readable(REQUESTS)} requests (--quick)` : undefined;
  const name = `attribution and record of ${readable(requests)} requests`;
  return {
    rows: [
      row({
        id: 'attribution.seconds',
        name: `${name}: time`,
        unit: 's',
        goal: atMost(5, ' s'),
        rounds: runs.map(({ seconds }) => seconds),
        note,
      }),
      row({
        id: 'attribution.memory',
        name: `${name}: most memory`,
        unit: 'MB',
        goal: atMost(500, ' MB'),
        rounds: runs.map(({ mostMb }) => mostMb),
      }),
    ],
    tables: [
      {
        title: 'By round',
        head: [
          'round',
          's logs and ledger',
          's record',
          'of it ways',
          's of CPU',
          'MB before it begins',
          'MB at most',
          'of it added',
          'lost, attributed',
          'MB of record',
        ],
        rows: runs.map((run, index) => [
          index + 1,
          run.settleSeconds,
          run.recordSeconds,
          run.waysSeconds,
          run.cpuSeconds,
          run.inputsMb,
          run.mostMb,
          run.mostMb - run.inputsMb,
          run.counts.dropped,
          run.recordMb,
        ]),
      },
    ],
    runs,
  };
}

function makeLogs(folder, requests) {
  const logs = join(folder, 'logs');
  const made = madeScenario(requests);
  for (const { name } of made.plan.hosts) mkdirSync(join(logs, name), { recursive: true });
  const servers = made.plan.hosts.filter(({ layer }) => layer === 'server');
  writeLogs(made, Object.fromEntries(servers.map(({ name }) => [name, join(logs, name)])));
  return logs;
}

/** Throws where the ledger does not say what was made. */
async function attributed(job) {
  const [command, ...argv] = attributeArgv(job);
  const child = spawn(command, argv);
  const timer = setTimeout(() => child.kill('SIGKILL'), LONGEST_MS);
  const { code, signal, stdout, stderr } = await outputOf(child, '');
  clearTimeout(timer);
  if (code !== 0) throw new Error(`attribution ended with ${signal ?? code}: ${stderr.trim().slice(-800)}`);
  const done = JSON.parse(stdout.trim().split('\n').at(-1));
  const { due, completed, dropped, byCause } = done.counts;
  const right = byCause.length === 1 && byCause[0].cause === 'ports-exhausted' && byCause[0].at === 'edge';
  if (!right || dropped !== lostOf(job.requests) || due !== completed + dropped)
    throw new Error(`the ledger is wrong: ${JSON.stringify(done.counts)}`);
  return done;
}

await runAlone(import.meta, figure, measure);
