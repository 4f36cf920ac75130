/**
 * The testbed of the figures: a host that generates and a host with a real NGINX, network namespaces joined by a virtual cable, made by
 * the product's own driver. A new one for each measurement, so that no TIME_WAIT is left over from the one before.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { awaitReady } from '../../dist/nodes/ready.js';
import { nodeSchema } from '../../dist/nodes/registry.js';
import { readCounters } from '../../dist/observe/counters.js';
import { descriptorLimit } from '../../dist/sys/descriptors.js';
import { findCommand } from '../../dist/testbed/find-command.js';
import { buildNetns } from '../../dist/testbed/netns/build.js';
import { SCRATCH_ROOT } from '../../dist/testbed/netns/enter.js';
import { makePlan } from '../../dist/topology/make-plan.js';
import { allowedCpus } from './tools.mjs';

/** Connections are kept on this port, and closed by the server after each answer on the other. */
export const KEPT = 80;
export const CLOSED = 81;

const READY_MS = 10_000;
/** Folders that nginx makes at its start, away from the machine's own, which an ordinary user may not touch. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
/** Of a worker: all that one generator's ports allow. */
const MOST_CONNECTIONS = 70_000;

/** Each of these gives its hosts what a machine that is meant for this has; all generators get the same. */
const TOPOLOGY = {
  generator: {
    kind: 'client',
    to: 'target',
    ports: '1024-65535',
    // A port whose last connection is over is taken again after a second, so that none runs out.
    sysctls: { 'net.ipv4.tcp_tw_reuse': 1, 'net.ipv4.tcp_max_tw_buckets': 262_144 },
  },
  target: {
    kind: 'fixed',
    sysctls: {
      'net.core.somaxconn': 65_535,
      'net.ipv4.tcp_max_syn_backlog': 65_535,
      'net.ipv4.tcp_max_tw_buckets': 262_144,
    },
  },
};

/** `listen` with a queue of its own per worker where there are several: the kernel then shares connections out evenly. */
function configuration({ workers, address, runDir, logDir }) {
  const descriptors = descriptorLimit();
  const listen = (port) => `listen ${address}:${port} backlog=65535${workers > 1 ? ' reuseport' : ''};`;
  return `daemon off;
user root;
worker_processes ${workers};
worker_rlimit_nofile ${descriptors};
pid "${runDir}/nginx.pid";
error_log "${logDir}/error.log" warn;
events { worker_connections ${Math.min(descriptors - 100, MOST_CONNECTIONS)}; }
http {
  access_log off;
${TEMPORARY.map((name) => `  ${name}_temp_path "${runDir}/${name}";`).join('\n')}
  keepalive_requests 1000000000;
  keepalive_timeout 3600s;
  server { ${listen(KEPT)} location / { return 200 "{}"; } }
  server { ${listen(CLOSED)} keepalive_timeout 0; location / { return 200 "{}"; } }
}
`;
}

/** Where there is more than one processor, the last is NGINX's and the watching's, and the others are the generator's. */
export const PLACES = placesOf(allowedCpus());

function placesOf(cpus) {
  if (cpus.length < 2 || findCommand('taskset') === undefined) return { generator: undefined, target: undefined };
  return { generator: cpus.slice(0, -1).join(','), target: String(cpus.at(-1)) };
}

/** For a sending thread with a core to itself: that core, and where the rest of its process is. As `--pin` does it where it has the cores. */
export const ALONE = aloneOf(PLACES);

function aloneOf({ generator, target }) {
  const [sendOn, ...others] = generator?.split(',').map(Number) ?? [];
  return { sendOn, place: others.length > 0 ? others.join(',') : target };
}

/** argv that runs on those processors. */
export const on = (cpuList, argv) => (cpuList === undefined ? argv : ['taskset', '-c', cpuList, ...argv]);

/** Puts this process, with all its threads, where the target is: out of the generator's way. */
export function stepAside() {
  const { target } = PLACES;
  if (target !== undefined) spawnSync('taskset', ['-apc', target, String(process.pid)], { stdio: 'ignore' });
}

/** Builds the testbed, starts NGINX with so many workers, calls `work`, and takes all down. */
export async function withBed({ workers = 1 }, work) {
  const folder = mkdtempSync(join(SCRATCH_ROOT, 'bench-'));
  const topology = Object.fromEntries(Object.entries(TOPOLOGY).map(([name, node]) => [name, nodeSchema.parse(node)]));
  const plan = makePlan({ topology });
  const testbed = await buildNetns(plan, { logsRoot: join(folder, 'logs'), sharedRoot: join(folder, 'shared') });
  try {
    const [generator, target] = ['generator', 'target'].map((name) => testbed.hosts.get(name));
    const { address } = plan.listeners.target;
    const { runDir, logDir } = target;
    const config = await target.writeFile('nginx.conf', configuration({ workers, address, runDir, logDir }));
    const argv = on(workers === 1 ? PLACES.target : undefined, [
      'nginx',
      '-c',
      config,
      '-e',
      join(logDir, 'error.log'),
    ]);
    const nginx = await target.spawn(argv, { label: 'nginx' });
    const said = async () => new Error(`nginx did not start: ${await target.readFile('nginx.log')}`);
    await awaitReady(nginx, {
      withinMs: READY_MS,
      isReady: async () => (await target.readFile(join(runDir, 'nginx.pid'))).trim() !== '',
      ended: said,
      late: said,
    });
    const accepted = () => readCounters(target.netns)['Tcp.PassiveOpens'] ?? 0;
    return await work({ testbed, plan, generator, target, address, accepted });
  } finally {
    await testbed.down();
    rmSync(folder, { recursive: true, force: true });
  }
}
