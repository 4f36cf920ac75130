/**
 * How long a testbed of four hosts takes to come up and to go: client, gateway, proxy, server, without daemons.
 *
 *     npm run build && node bench/testbed.mjs [rounds]
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isIsolated, isolate } from '../dist/testbed/netns/isolate.js';

const nic = (name, segment, address) => ({ name, segment, addresses: [address], prefixLength: 24 });

const host = (name, layer, interfaces, routes, sysctls = []) => ({
  name,
  node: name,
  index: 0,
  kind: layer,
  layer,
  spec: {},
  interfaces,
  routes,
  sysctls,
});

const plan = {
  hosts: [
    host('buyers', 'client', [nic('back0', 'edge', '198.18.0.10')], [{ destination: 'default', via: '198.18.0.1' }]),
    host(
      'edge',
      'L3',
      [nic('front0', 'edge', '198.18.0.1'), nic('back0', 'balancer', '198.18.1.10')],
      [],
      [
        ['net.ipv4.ip_forward', '1'],
        ['net.netfilter.nf_conntrack_tcp_timeout_established', '120'],
      ],
    ),
    host(
      'balancer',
      'L7',
      [nic('front0', 'balancer', '198.18.1.1'), nic('back0', 'shop', '198.18.2.10')],
      [],
      [['net.ipv4.ip_local_port_range', '20000 20499']],
    ),
    host('shop', 'server', [nic('front0', 'shop', '198.18.2.1')], []),
  ],
  segments: [
    { name: 'edge', subnet: '198.18.0.0/24', hosts: ['buyers', 'edge'] },
    { name: 'balancer', subnet: '198.18.1.0/24', hosts: ['edge', 'balancer'] },
    { name: 'shop', subnet: '198.18.2.0/24', hosts: ['balancer', 'shop'] },
  ],
  targets: {},
  listeners: {},
  sources: {},
};

/** Builds it and takes it down so many times; ms of each. Only inside the isolation of `testbed/netns/enter.ts`. */
export async function timesOfTestbed(rounds) {
  const { SCRATCH_ROOT } = await import('../dist/testbed/netns/enter.js');
  const { buildNetns } = await import('../dist/testbed/netns/build.js');
  const folder = await mkdtemp(join(SCRATCH_ROOT, 'bench-'));
  const rows = [];
  for (let round = 0; round < rounds; round++) {
    const begin = performance.now();
    const testbed = await buildNetns(plan, { logsRoot: join(folder, 'logs'), sharedRoot: join(folder, 'shared') });
    const up = performance.now();
    await testbed.down();
    rows.push({ upMs: up - begin, downMs: performance.now() - up, totalMs: performance.now() - begin });
  }
  await rm(folder, { recursive: true });
  return rows;
}

async function measure(rounds) {
  const { enterIsolated } = await import('../dist/testbed/netns/enter.js');
  enterIsolated(() => process.exit(130));
  const rows = await timesOfTestbed(rounds);
  const median = (key) => rows.map((row) => row[key]).sort((a, b) => a - b)[Math.floor(rows.length / 2)];
  const worst = Math.max(...rows.map((row) => row.totalMs));
  console.log(`4 hosts, ${rounds} rounds, Linux ${release()}, ${cpus().length} CPUs, uid ${process.env.BENCH_UID}`);
  console.log(
    `median: up ${median('upMs').toFixed(1)} ms, down ${median('downMs').toFixed(1)} ms, together ${median('totalMs').toFixed(1)} ms; ` +
      `first ${rows[0].totalMs.toFixed(1)} ms, worst ${worst.toFixed(1)} ms`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (isIsolated()) await measure(Number(process.argv[2] ?? 20));
  else process.exitCode = await isolate(process.argv.slice(1), { ...process.env, BENCH_UID: String(process.getuid()) });
}
