/**
 * Builds testbeds for a test that lives outside of the isolation: `node serve.mjs netns|docker`. Takes a call per line on
 * stdin, `{ id, name, args }`, and answers with a line on stdout, `{ id, result }` or `{ id, error }`.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { kindOf, nodeSchema } from '../../dist/nodes/registry.js';
import { isIsolated, isolate } from '../../dist/testbed/netns/isolate.js';
import { makePlan } from '../../dist/topology/make-plan.js';

const wanted = process.argv[2];

if (wanted === 'netns' && !isIsolated()) {
  const argv = process.argv.slice(1);
  process.exitCode = await isolate(argv, process.env);
} else {
  const opened = wanted === 'netns' ? await openNetns() : await openDocker();
  serve(opened);
}

async function openNetns() {
  const { enterIsolated, SCRATCH_ROOT } = await import('../../dist/testbed/netns/enter.js');
  const { netnsDriver } = await import('../../dist/testbed/netns/driver.js');
  enterIsolated(() => process.exit(130));
  return {
    driver: netnsDriver(),
    logsRoot: (trial) => join(SCRATCH_ROOT, 'records', trial),
    // In its own process namespace this process sees all that it started.
    left: async () => [
      ...readdirSync(SCRATCH_ROOT).filter((name) => name.startsWith('testbed-')),
      ...readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && isAlive(name)),
    ],
    async end() {},
  };
}

/** False for a process that has ended and waits to be collected. */
function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

async function openDocker() {
  const { connectDaemon } = await import('../../dist/testbed/docker/daemon.js');
  const { dockerDriver } = await import('../../dist/testbed/docker/driver.js');
  const { ownOwner, OWNER_LABEL } = await import('../../dist/testbed/docker/owner.js');
  const { findLabelled } = await import('../../dist/testbed/docker/removal.js');
  const daemon = await connectDaemon();
  const records = mkdtempSync(join(tmpdir(), 'portparty-test-'));
  return {
    driver: dockerDriver(daemon, (line) => process.stderr.write(`${line}\n`)),
    logsRoot: (trial) => join(records, trial),
    left: async () => (await findLabelled(daemon.docker, `${OWNER_LABEL}=${ownOwner()}`)).map(({ name }) => name),
    end: async () => rmSync(records, { recursive: true, force: true }),
  };
}

function serve({ driver, logsRoot, left, end }) {
  const testbeds = new Map();
  const daemons = [];
  const planOf = (topology) => {
    const checked = Object.entries(topology).map(([name, node]) => [name, nodeSchema.parse(node)]);
    return makePlan({ topology: Object.fromEntries(checked) });
  };
  const hostOf = (trial, name) => testbeds.get(trial).hosts.get(name);

  const calls = {
    check: (topology) => driver.check(planOf(topology)),
    async build(trial, topology) {
      const plan = planOf(topology);
      await driver.check(plan);
      const testbed = await driver.build(plan, { trial, logsRoot: logsRoot(trial) });
      testbeds.set(trial, testbed);
      const hosts = [...testbed.hosts.values()].map((host) => ({
        name: host.name,
        node: host.node,
        netns: host.netns,
        hasAgent: host.agent !== undefined,
        logDir: host.logDir,
        runDir: host.runDir,
        distDir: host.distDir,
        nodeBinary: host.nodeBinary,
        sharedDir: driver.sharedDir(host.node, { trial }),
      }));
      return { driver: testbed.driver, plan: testbed.plan, hosts };
    },
    on: (trial, name, method, args) => hostOf(trial, name)[method](...args),
    async spawn(trial, name, argv, options) {
      const daemon = await hostOf(trial, name).spawn(argv, options);
      return { key: daemons.push(daemon) - 1, pid: daemon.pid };
    },
    exited: (key) => daemons[key].exited,
    running: (key) => daemons[key].running,
    signal: (key, signal) => daemons[key].signal(signal),
    /** Runs a Node.js program in the host's network, as the harness itself would: not in its file system. */
    program: async (trial, name, text) => runProgram(hostOf(trial, name), text),
    startNode: (trial, name) => startNode(driver, testbeds.get(trial), trial, name),
    entry: (trial, name) => testbeds.get(trial).entry(name),
    down: (trial) => testbeds.get(trial).down(),
    /** A file of the record, which outlasts the testbed. */
    recorded: (trial, host, file) => readFileSync(join(logsRoot(trial), host, file), 'utf8'),
    left,
  };

  const lines = createInterface({ input: process.stdin });
  lines.on('line', async (line) => {
    const { id, name, args } = JSON.parse(line);
    try {
      answer({ id, result: (await calls[name](...args)) ?? null });
    } catch (error) {
      const { message, where, hint, exitCode, stack } = error;
      answer({ id, error: { message: exitCode === undefined ? stack : message, where, hint, exitCode } });
    }
  });
  lines.once('close', async () => {
    await Promise.allSettled([...testbeds.values()].map((testbed) => testbed.down()));
    await driver.close();
    await end();
    process.exit(0);
  });
  answer({ ready: true });
}

function answer(value) {
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

async function runProgram(host, text) {
  if (host.agent === undefined) {
    const { execIn } = await import('../../dist/testbed/exec.js');
    return (await execIn(host.netns, host.name, [process.execPath, '-e', text])).stdout;
  }
  const { code, stdout, stderr } = await host.agent.run(['node', '-e', text]);
  if (code !== 0) throw new Error(stderr);
  return stdout;
}

async function startNode(driver, { plan, hosts }, trial, name) {
  const planned = plan.hosts.find((host) => host.name === name);
  await kindOf(planned.kind).start({
    host: hosts.get(name),
    planned,
    spec: planned.spec,
    plan,
    listen: plan.listeners[name],
    backends: plan.targets[name] ?? [],
    sources: plan.sources[name] ?? [],
    userConfig: undefined,
    sharedDir: driver.sharedDir(planned.node, { trial }),
  });
}
