/** Whole trials inside the isolation, either directly or with every host behind an agent of its own, as on a remote daemon. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectAgent } from '../../dist/agent/connect.js';
import { loadScenario } from '../../dist/run/load-scenario.js';
import { runTrial } from '../../dist/run/trial.js';
import { inNamespace } from '../../dist/sys/namespace.js';
import { buildNetns } from '../../dist/testbed/netns/build.js';
import { SCRATCH_ROOT } from '../../dist/testbed/netns/enter.js';
import { makePlan } from '../../dist/topology/make-plan.js';
import { ENGINES } from '../../dist/traffic/engines.js';
import { RequestState } from '../../dist/traffic/outcomes.js';
import { chooseEngine } from '../../dist/traffic/traffic-plan.js';

const AGENT = fileURLToPath(new URL('../../dist/agent/main.js', import.meta.url));

/** The same testbed, as seen from where no host can be entered. `children` gets each agent's process by host. */
async function behindAgents(testbed, children) {
  const hosts = await Promise.all(
    [...testbed.hosts].map(async ([name, host]) => {
      // As in any container; engines rehearse on it.
      await host.run(['ip', 'link', 'set', 'lo', 'up']);
      const child = inNamespace(host.netns, () => spawn(process.execPath, [AGENT]));
      children.set(name, child);
      const agent = await connectAgent(child.stdout, child.stdin, name, child.stderr);
      return [name, { ...host, netns: null, agent }];
    }),
  );
  return {
    ...testbed,
    hosts: new Map(hosts),
    async down() {
      await Promise.all(hosts.map(([, { agent }]) => agent.close()));
      await testbed.down();
    },
  };
}

/** Runs one trial of a scenario's text; `kill` ends the agent of that host once so many requests are completed. */
export async function trial({ text, agents, interruptAfter, kill }) {
  const file = join(SCRATCH_ROOT, 'scenario.yaml');
  writeFileSync(file, text);
  const { variants, seed } = await loadScenario(file);
  const [variant] = variants;
  const plan = makePlan(variant);
  const closedLoop = variant.traffic.arrivals.some((phase) => 'connections' in phase);
  const sharedRoot = join(SCRATCH_ROOT, 'shared');
  const children = new Map();
  const interrupt = new AbortController();
  let begun;
  let watching;
  const completed = () => begun.outcomes.state.filter((state) => state === RequestState.completed).length;
  const onceCompleted = (count, then) => {
    watching = setInterval(() => {
      if (completed() < count) return;
      clearInterval(watching);
      then();
    }, 10);
  };
  let seenMeanwhile = 0;
  const result = await runTrial({
    variant,
    plan,
    engine: ENGINES[chooseEngine(variant.traffic.connections, closedLoop)],
    seed,
    idPrefix: '0.1',
    async build(planned) {
      const testbed = await buildNetns(planned, { logsRoot: join(SCRATCH_ROOT, 'logs'), sharedRoot });
      return agents ? behindAgents(testbed, children) : testbed;
    },
    sharedDir: (node) => join(sharedRoot, node),
    onProgress({ phase }) {
      if (phase === 'settling') seenMeanwhile = completed();
    },
    onBegin(given) {
      begun = given;
      if (interruptAfter !== undefined) onceCompleted(interruptAfter, () => interrupt.abort());
      if (kill !== undefined) onceCompleted(kill.after, () => children.get(kill.host).kill('SIGKILL'));
    },
    interrupt: interrupt.signal,
  }).finally(() => clearInterval(watching));
  return { ...summary(result), seenMeanwhile };
}

function summary({ traffic, outcomes, observations, ledger, generator, problems }) {
  const count = (state) => outcomes.state.filter((value) => value === state).length;
  const losses = {};
  for (const { cause, at } of ledger.lost.values()) losses[`${cause}@${at}`] = (losses[`${cause}@${at}`] ?? 0) + 1;
  const rows = Array.from({ length: outcomes.rows }, (_, row) => row).filter(
    (row) => outcomes.state[row] !== RequestState.notDue,
  );
  const idOf = (row) => `${traffic.idPrefix}.${Math.floor(row / outcomes.steps)}.${row % outcomes.steps}`;
  const clientsRight = rows.every(
    (row) => outcomes.client[row] === Math.floor(row / outcomes.steps) % traffic.clients.length,
  );
  const opened = rows.filter((row) => !Number.isNaN(outcomes.connectNs[row]));
  const at = observations.samples.map(({ timeNs }) => timeNs);
  return {
    due: rows.length,
    underWay: count(RequestState.underWay),
    completed: count(RequestState.completed),
    losses,
    delayed: ledger.delayed.size,
    pools: observations.pools,
    problems,
    clientsRight,
    /** Every completed request was seen by a proxy, where there is one. */
    sighted: rows.filter((row) => observations.sightings.has(idOf(row))).length,
    connections: { opened: opened.length, distinct: new Set(opened.map((row) => outcomes.connection[row])).size },
    targets: Object.fromEntries(
      traffic.clients.map(({ host }, client) => [
        host,
        rows
          .filter((row) => outcomes.client[row] === client)
          .reduce((counts, row) => {
            counts[outcomes.target[row]] = (counts[outcomes.target[row]] ?? 0) + 1;
            return counts;
          }, {}),
      ]),
    ),
    inOrder: rows.every(
      (row) => outcomes.sentNs[row] >= outcomes.dueNs[row] && !(outcomes.doneNs[row] < outcomes.sentNs[row]),
    ),
    generator: {
      engine: generator.engine,
      late: generator.lateMaxMs >= 0,
      lateP99Ms: generator.lateP99Ms,
      cpu: generator.cpuSeconds > 0,
      ownFailures: generator.ownFailures,
      notes: generator.notes,
    },
    taps: Object.fromEntries(Object.entries(observations.taps).map(([host, tap]) => [host, tap.length > 0])),
    samples: {
      count: at.length,
      rising: at.every((time, index) => index === 0 || at[index - 1] < time),
      last: observations.samples.at(-1),
    },
    conntrack: Object.fromEntries(Object.entries(observations.conntrack).map(([host, { length }]) => [host, length])),
    forwarded: Object.fromEntries(Object.entries(observations.forwarded).map(([host, set]) => [host, set.keys.length])),
    counters: Object.keys(observations.counters),
  };
}
