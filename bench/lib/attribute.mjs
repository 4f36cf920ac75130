/**
 * A process that takes a made trial from the end of the sending to its whole record: reads the logs, keeps the ledger, writes all files, by the
 * same functions as a run. `node --expose-gc bench/lib/attribute.mjs JOB`; its last line is the result as JSON.
 */
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import koffi from 'koffi';
import { keptWays, waysOf } from '../../dist/ledger/kept-ways.js';
import { proxyTriesOf } from '../../dist/ledger/proxy-tries.js';
import { chainRecord } from '../../dist/record/chain-record.js';
import { createRecord } from '../../dist/record/write-record.js';
import { settle } from '../../dist/run/settle.js';
import { GENERATOR, ID_PREFIX, madeOutcomes, madeScenario, madeSeen, STARTED_AT } from './made-trial.mjs';

const SELF = fileURLToPath(import.meta.url);

/** argv of a process that does `{ requests, logs, outDir }`; `logs` is a folder with one of each server's name. */
export const attributeArgv = (job) => [process.execPath, '--expose-gc', SELF, JSON.stringify(job)];

/** Of a running host, all that settling asks for: its log files. */
const fileHost = (folder, name) => ({
  name,
  readFile: (path) => readFile(join(folder, name, path), 'utf8').catch(() => ''),
  readPieces: (path) => createReadStream(join(folder, name, path), { encoding: 'utf8', highWaterMark: 1 << 18 }),
});

/** The most memory that this process has had in use at once since its account was reset, bytes. */
function mostMemory() {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
}

/** Gives memory that has been freed back to the system: malloc_trim(3). What the trial was made with would stay otherwise. */
const trimHeap = koffi.load('libc.so.6').func('int malloc_trim(size_t)');

let waysMs = 0;

/** The same values; the time that each takes to be made is added up. */
function* timed(values) {
  for (;;) {
    const began = performance.now();
    const { done, value } = values.next();
    waysMs += performance.now() - began;
    if (done) return;
    yield value;
  }
}

async function main({ requests, logs, outDir }) {
  const made = madeScenario(requests);
  const { scenario, variant, plan, traffic } = made;
  const all = madeOutcomes(made);
  const seen = madeSeen(made);
  const testbed = { plan, hosts: new Map(plan.hosts.map(({ name }) => [name, fileHost(logs, name)])) };
  // Twice: the memory of arrays is given back by a thread of its own, which the second one waits for.
  globalThis.gc();
  globalThis.gc();
  trimHeap(0);
  const inputs = process.memoryUsage();
  // The most memory counts from here (proc(5), clear_refs): what making the trial took is no part of it.
  writeFileSync('/proc/self/clear_refs', '5');

  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const driven = { generator: GENERATOR, events: [], died: [], startedAtMs: STARTED_AT, seen };
  const result = await settle({
    testbed,
    plan,
    running: new Map(),
    traffic,
    outcomes: all,
    driven,
    interrupted: false,
  });
  const settled = performance.now();
  const writer = createRecord({
    outDir,
    scenario,
    driver: 'netns',
    driverReason: '',
    environment: { kernel: '', node: process.versions.node, cpus: 1, versions: {} },
  });
  const rows = writer.beginTrial({
    variant: variant.name,
    trial: 1,
    idPrefix: ID_PREFIX,
    steps: traffic.steps.map(({ name }) => name),
    clients: traffic.clients.map(({ host }) => host),
    nodes: Object.keys(variant.topology),
    startedAtMs: STARTED_AT,
    outcomes: all,
    chain: chainRecord(variant, plan),
  });
  for (const sample of result.observations.samples) rows.sample(sample);
  const { requests: counts, validity } = rows.finish({
    dropped: result.ledger.lost,
    delayed: result.ledger.delayed,
    pools: result.observations.pools,
    counters: result.observations.counters,
    generator: result.generator,
    plannedVisitors: traffic.arrivalsNs.length,
    maxLatenessMs: 10,
    problems: result.problems,
    events: [],
    proxies: proxyTriesOf(result.file.plan, [...result.observations.sightings.values()].flat()),
    ways: { kept: keptWays(all, result.ledger), all: timed(waysOf(result.file, result.ledger)) },
  });
  writer.finish('complete');
  const ended = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(
    JSON.stringify({
      settleSeconds: (settled - began) / 1000,
      recordSeconds: (ended - settled) / 1000,
      waysSeconds: waysMs / 1000,
      seconds: (ended - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
      inputsMb: inputs.rss / 1e6,
      mostMb: mostMemory() / 1e6,
      counts: {
        due: counts.due,
        completed: counts.completed,
        dropped: counts.dropped,
        delayed: counts.delayed,
        byCause: counts.byCause.map(({ cause, at, count }) => ({ cause, at, count })),
      },
      validity,
      dir: writer.dir,
    }),
  );
}

if (process.argv[1] === SELF) await main(JSON.parse(process.argv[2]));
