/** Small chains for scenes that run inside the isolation. */
import { join } from 'node:path';
import { kindOf, nodeSchema } from '../../dist/nodes/registry.js';
import { buildNetns } from '../../dist/testbed/netns/build.js';
import { SCRATCH_ROOT } from '../../dist/testbed/netns/enter.js';
import { makePlan } from '../../dist/topology/make-plan.js';

/** The plan of a topology written as in a scenario file. */
export function planOf(topology) {
  const checked = Object.entries(topology).map(([name, node]) => [name, nodeSchema.parse(node)]);
  return makePlan({ topology: Object.fromEntries(checked) });
}

/** Builds a topology; the logs go to the scratch folder. */
export async function build(topology) {
  const plan = planOf(topology);
  const testbed = await buildNetns(plan, {
    logsRoot: join(SCRATCH_ROOT, 'logs'),
    sharedRoot: join(SCRATCH_ROOT, 'shared'),
  });
  return { plan, testbed, host: (name) => testbed.hosts.get(name) };
}

/** Starts the node of one host. */
export async function startNode({ plan, host }, name, userConfig) {
  const planned = plan.hosts.find((one) => one.name === name);
  return kindOf(planned.kind).start({
    host: host(name),
    planned,
    spec: planned.spec,
    plan,
    listen: plan.listeners[name],
    backends: plan.targets[name] ?? [],
    sources: plan.sources[name] ?? [],
    userConfig,
    sharedDir: join(SCRATCH_ROOT, 'shared', planned.node),
  });
}

/** A plain TCP server on a host: accepts, answers nothing, and tells on its log how many came from which address. */
export async function startSink(host, { address, port }) {
  const program = `
    const peers = {};
    require('net').createServer((socket) => {
      peers[socket.remoteAddress] = (peers[socket.remoteAddress] ?? 0) + 1;
      console.log(JSON.stringify(peers));
      socket.on('error', () => {});
    }).listen({ port: ${port}, host: '${address}', backlog: 4096 }, () => console.log('ready'));`;
  const process = await host.spawn([host.nodeBinary, '-e', program], { label: 'sink' });
  await until(async () => (await host.readFile('sink.log')).includes('ready'));
  return {
    process,
    async peers() {
      return JSON.parse((await host.readFile('sink.log')).trim().split('\n').at(-1));
    },
  };
}

/**
 * Opens `count` connections from every host and holds them until all hosts have had `ms` for it, however late a busy machine
 * starts them; resolves to how many were established.
 */
export async function hold(hosts, { address, port }, count, ms) {
  const program = `
    const net = require('net');
    let open = 0;
    for (let n = 0; n < ${count}; n++) {
      const socket = net.connect(${port}, '${address}', () => open++);
      socket.on('error', () => {});
    }
    setTimeout(() => console.log(open), ${ms});
    setInterval(() => {}, 1 << 30);`;
  const counts = await Promise.all(
    hosts.map(async (host) => {
      await host.spawn([host.nodeBinary, '-e', program], { label: 'hold' });
      await until(async () => (await host.readFile('hold.log')) !== '', ms + 60_000);
      return Number(await host.readFile('hold.log'));
    }),
  );
  return counts.reduce((sum, open) => sum + open, 0);
}

/** Waits for a condition; fails after `withinMs`. */
export async function until(condition, withinMs = 5000) {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`the condition did not come true within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/**
 * An HTTP server on a host that answers after `ms`. `close: 'client'` leaves the closing to the other side.
 * `behaviour`: `reset` aborts, `hang-up` closes without an answer.
 */
export async function startServer(host, { address, port }, { ms = 0, close = 'server', behaviour = '' } = {}) {
  const program = `
    const net = require('net');
    net.createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {});
      socket.on('end', () => socket.end());
      socket.on('data', () => setTimeout(() => {
        if ('${behaviour}' === 'reset') return socket.resetAndDestroy();
        if ('${behaviour}' === 'hang-up') return socket.end();
        socket.write('HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok');
        if ('${close}' === 'server') socket.end();
      }, ${ms}));
    }).listen({ port: ${port}, host: '${address}', backlog: 4096 }, () => console.log('ready'));`;
  await host.spawn([host.nodeBinary, '-e', program], { label: 'server' });
  await until(async () => (await host.readFile('server.log')).includes('ready'));
}

/**
 * Sends `count` requests from a host, `gapMs` apart, each on a connection of its own (or all on one, one after another, with
 * `keepAlive`); resolves to how many answers there were of each status. `-1` is a connection that ended without an answer.
 */
export async function request(host, { address, port }, { count, gapMs = 0, keepAlive = false, timeoutMs = 20_000 }) {
  const program = `
    const http = require('http');
    const statuses = {};
    const agent = new http.Agent({ keepAlive: ${keepAlive}, maxSockets: ${keepAlive ? 1 : 'Infinity'} });
    let left = ${count};
    const done = (status) => {
      statuses[status] = (statuses[status] ?? 0) + 1;
      if (--left === 0) { console.log(JSON.stringify(statuses)); process.exit(); }
    };
    const send = (n) => {
      const request = http.get({ host: '${address}', port: ${port}, path: '/', agent, headers: { 'X-Request-Id': 'r' + n + '.1' } }, (response) => {
        response.resume().on('end', () => done(response.statusCode)).on('error', () => {});
      });
      request.on('error', () => done(-1)).setTimeout(${timeoutMs}, () => request.destroy());
    };
    for (let n = 0; n < ${count}; n++) setTimeout(send, n * ${gapMs}, n);`;
  const { stdout } = await host.run([host.nodeBinary, '-e', program]);
  return JSON.parse(stdout);
}
