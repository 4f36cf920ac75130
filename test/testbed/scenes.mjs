/** Scenes that need the isolation itself, or nodes in it: each does one thing and returns what it saw. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { kindOf } from '../../dist/nodes/registry.js';
import { build, hold, request, startNode, startServer, startSink } from './chain.mjs';

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
  const established = await hold(sources, target, each, ms);
  const peers = await sink.peers();
  await chain.testbed.down();
  return { established, perAddress: Object.values(peers).sort() };
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
