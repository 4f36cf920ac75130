/** Scenes of the testbed's tests: each builds a chain, does one thing, and returns what it saw. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { kindOf } from '../../dist/nodes/registry.js';
import { build, hold, request, startNode, startServer, startSink, until } from './chain.mjs';

/** Holds connections of several clients through a gateway; returns how many were established and from which addresses. */
export async function heldThroughNat({ clients, each, nat, ms = 4500 }) {
  const chain = await build({
    buyers: { kind: 'client', hosts: clients, to: 'edge' },
    edge: { kind: 'nat', to: 'shop', ...nat },
    shop: { kind: 'fixed' },
  });
  await startNode(chain, 'edge');
  const target = chain.plan.listeners.shop;
  const sink = await startSink(chain.host('shop'), target);
  const sources = [...chain.testbed.hosts.values()].filter((host) => host.node === 'buyers');
  const counts = await Promise.all(sources.map((host) => hold(host, target, each, ms)));
  const peers = await sink.peers();
  await chain.testbed.down();
  return { established: counts.reduce((sum, count) => sum + count, 0), perAddress: Object.values(peers).sort() };
}

/** Sends requests through an nginx; returns the statuses, and how the log tells of the tries. `server: null` starts no server. */
export async function throughNginx({ nginx = {}, servers = 1, server = {}, traffic, config, show = false }) {
  const chain = await build({
    buyers: { kind: 'client', to: 'balancer' },
    balancer: { kind: 'nginx', to: 'shop', ...nginx },
    shop: { kind: 'fixed', hosts: servers },
  });
  const { plan, host, testbed } = chain;
  if (server) await Promise.all(plan.targets.balancer.map((target) => startServer(host(target.host), target, server)));
  const running = await startNode(chain, 'balancer', config);
  const statuses = await request(host('buyers'), plan.listeners.balancer, traffic);
  await running.stop();
  const reading = await kindOf('nginx').readLogs(host('balancer'));
  const results = {};
  for (const { tries } of reading.sightings)
    for (const { result } of tries) results[result] = (results[result] ?? 0) + 1;
  const seen = {
    statuses,
    sightings: reading.sightings.length,
    ids: new Set(reading.sightings.map(({ id }) => id)).size,
    results,
    refusals: reading.sightings.flatMap(({ refusal }) => refusal?.cause ?? []),
    incidents: reading.incidents.map(({ cause }) => cause),
    reducedAttribution: running.reducedAttribution,
  };
  if (show) {
    seen.access = (await host('balancer').readFile('access.log')).split('\n').slice(0, show);
    seen.errors = (await host('balancer').readFile('error.log')).split('\n').slice(0, show);
    seen.first = reading.sightings.slice(0, show);
  }
  await testbed.down();
  return seen;
}

/** Sends requests through a haproxy; returns the statuses, and what its log tells. `server: null` starts no server. */
export async function throughHaproxy({ haproxy = {}, servers = 1, server = {}, traffic, config, show = false }) {
  const chain = await build({
    buyers: { kind: 'client', to: 'balancer' },
    balancer: { kind: 'haproxy', to: 'shop', ...haproxy },
    shop: { kind: 'fixed', hosts: servers },
  });
  const { plan, host, testbed } = chain;
  if (server) await Promise.all(plan.targets.balancer.map((target) => startServer(host(target.host), target, server)));
  const running = await startNode(chain, 'balancer', config);
  const statuses = await request(host('buyers'), plan.listeners.balancer, traffic);
  await running.stop();
  const reading = await kindOf('haproxy').readLogs(host('balancer'));
  const sightings = reading.sightings.filter(({ id }) => id.startsWith('r'));
  const tries = sightings.flatMap((sighting) => sighting.tries);
  const tally = (values) => {
    const counts = {};
    for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  };
  const seen = {
    statuses,
    ids: new Set(sightings.map(({ id }) => id)).size,
    results: tally(tries.map(({ result }) => result)),
    refusals: tally(sightings.flatMap(({ refusal }) => refusal?.cause ?? [])),
    incidents: reading.incidents.map(({ cause }) => cause),
    connectionsFrom: tally(tries.flatMap(({ from }) => from?.split(':')[0] ?? [])),
    ports: new Set(tries.flatMap(({ from }) => from ?? [])).size,
    reducedAttribution: running.reducedAttribution,
  };
  if (show) {
    seen.config = await host('balancer').readFile('haproxy.cfg');
    seen.log = (await host('balancer').readFile('access.log')).split('\n').slice(0, show);
    seen.first = reading.sightings.slice(0, show);
  }
  await testbed.down();
  return seen;
}

/** Sends requests through a proxy of that kind; returns the statuses, and what its log tells. `server: null` starts no server. */
export async function throughProxy({ kind, proxy = {}, servers = 1, server = {}, traffic, config, show = [] }) {
  const chain = await build({
    buyers: { kind: 'client', to: 'balancer' },
    balancer: { kind, to: 'shop', ...proxy },
    shop: { kind: 'fixed', hosts: servers },
  });
  const { plan, host, testbed } = chain;
  if (server) await Promise.all(plan.targets.balancer.map((target) => startServer(host(target.host), target, server)));
  const running = await startNode(chain, 'balancer', config);
  const statuses = await request(host('buyers'), plan.listeners.balancer, traffic);
  await running.stop();
  const reading = await kindOf(kind).readLogs(host('balancer'));
  const { sightings } = reading;
  const tries = sightings.flatMap((sighting) => sighting.tries);
  const tally = (values) => {
    const counts = {};
    for (const value of values) counts[value] = (counts[value] ?? 0) + 1;
    return counts;
  };
  const seen = {
    statuses,
    sightings: sightings.length,
    ids: new Set(sightings.map(({ id }) => id)).size,
    results: tally(tries.map(({ result }) => result)),
    refusals: tally(sightings.flatMap(({ refusal }) => refusal?.cause ?? [])),
    incidents: tally(reading.incidents.map(({ cause }) => cause)),
    connectionsFrom: tally(tries.flatMap(({ from }) => from?.split(':')[0] ?? [])),
    ports: new Set(tries.flatMap(({ from }) => from ?? [])).size,
    reducedAttribution: running.reducedAttribution,
  };
  for (const name of show) seen[name] = await host('balancer').readFile(name);
  await testbed.down();
  return seen;
}

/** What the isolated process sees of itself. */
export async function self() {
  const links = execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' }).trim().split('\n');
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  return {
    pid: process.pid,
    links: links.map((line) => line.split(/\s+/)[0]),
    uidMap: readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/).map(Number),
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
    scratchIsOwn: mounts.includes('tmpfs /dev/shm tmpfs') && readdirSync('/dev/shm').join() === 'portparty',
    softLimit: /^Max open files\s+(\S+)\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8')).slice(1, 3),
  };
}

/** Ends with an exit code. */
export function exitWith(code) {
  process.exit(code);
}

/** Starts a chain with daemons and then waits for ever. */
export async function stay() {
  const chain = await build({
    buyers: { kind: 'client', hosts: 2, to: 'edge' },
    edge: { kind: 'nat', to: 'balancer' },
    balancer: { kind: 'nginx', to: 'shop' },
    shop: { kind: 'fixed' },
  });
  const { shop } = chain.plan.listeners;
  await startServer(chain.host('shop'), shop);
  await startNode(chain, 'edge');
  await startNode(chain, 'balancer');
  console.log('up');
  await new Promise((resolve) => setInterval(resolve, 1 << 30));
}

/** Builds every shape of link and asks each host for what it has. */
export async function links({ topology, from, to }) {
  const chain = await build(topology);
  const hosts = {};
  for (const [name, host] of chain.testbed.hosts) {
    const { stdout } = await host.run(['ip', '-4', '-brief', 'address']);
    hosts[name] = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim().replace(/@\S+/, '').split(/\s+/));
  }
  const target = chain.plan.listeners[to];
  await startServer(chain.host(to), target);
  const statuses = await request(chain.host(from), target, { count: 5 });
  const neighbours = (await chain.host(from).run(['ip', 'neighbour'])).stdout.trim().split('\n');
  const begin = performance.now();
  await chain.testbed.down();
  await chain.testbed.down();
  return { hosts, statuses, neighbours, downMs: performance.now() - begin, left: readdirSync('/dev/shm/portparty') };
}

/** Sends datagrams over a lossy link in both directions of the way; returns how many arrived of how many. */
export async function lossy({ loss, packets }) {
  const chain = await build({
    buyers: { kind: 'client', to: 'shop', link: { loss } },
    shop: { kind: 'fixed' },
  });
  // Nobody listens: the kernel counts what arrives and throws it away.
  const arrivedAt = async (name) => {
    const { stdout } = await chain.host(name).run(['cat', '/proc/net/snmp']);
    return Number(/^Udp: \d+ (\d+)/m.exec(stdout)[1]);
  };
  const count = async (from, to, address) => {
    const sender = `const s = require('dgram').createSocket('udp4'); let left = ${packets};
      const send = () => { if (left-- === 0) return s.close(); s.send('x', 9000, '${address}', () => left % 50 ? send() : setTimeout(send, 2)); };
      send();`;
    await chain.host(from).run([process.execPath, '-e', sender]);
    let last = 0;
    await until(async () => {
      const now = await arrivedAt(to);
      const settled = now > 0 && now === last;
      last = now;
      return settled;
    });
    return last;
  };
  const addressOf = (name, nic) =>
    chain.plan.hosts.find((host) => host.name === name).interfaces.find((one) => one.name === nic).addresses[0];
  const there = await count('buyers', 'shop', addressOf('shop', 'front0'));
  const back = await count('shop', 'buyers', addressOf('buyers', 'back0'));
  await chain.testbed.down();
  return { there, back };
}

/** Builds a topology and returns nothing: for what is refused. */
export async function buildOnly(topology) {
  const { testbed } = await build(topology);
  await testbed.down();
}

/** Sets and reads a sysctl on two hosts. */
export async function sysctls({ name, value }) {
  const { testbed, host } = await build({ buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } });
  const before = await host('shop').sysctl(name);
  await host('buyers').setSysctl(name, value);
  const seen = { before, buyers: await host('buyers').sysctl(name), shop: await host('shop').sysctl(name) };
  await testbed.down();
  return seen;
}

/** Runs a command on a host. */
export async function command({ argv, input }) {
  const { testbed, host } = await build({ buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } });
  try {
    return await host('shop').run(argv, { input });
  } finally {
    await testbed.down();
  }
}

/** A daemon with a child, both deaf to SIGTERM: ended all the same by `down`, and its limit of open files. */
export async function daemons() {
  const { testbed, host } = await build({ buyers: { kind: 'client', to: 'shop' }, shop: { kind: 'fixed' } });
  const script = 'trap "" TERM; sh -c \'trap "" TERM; echo child $$; while :; do sleep 60; done\' & ulimit -n; wait';
  const daemon = await host('shop').spawn(['sh', '-c', script], { label: 'deaf', openFiles: 123 });
  await until(async () => /^\d+$/m.test(await host('shop').readFile('deaf.log')));
  await until(async () => (await host('shop').readFile('deaf.log')).includes('child'));
  const log = await host('shop').readFile('deaf.log');
  const child = Number(/child (\d+)/.exec(log)[1]);
  const stopped = await host('shop').spawn(['sleep', '60'], { label: 'stopped' });
  await stopped.signal('SIGSTOP');
  const runningBefore = daemon.running;
  await testbed.down();
  const stateOf = (pid) => {
    try {
      return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
    } catch {
      return 'gone';
    }
  };
  await until(() => ['gone', 'Z'].includes(stateOf(child)));
  return {
    limit: /^\d+$/m.exec(log)[0],
    runningBefore,
    runningAfter: daemon.running,
    end: await daemon.exited,
    stopped: await stopped.exited,
  };
}
