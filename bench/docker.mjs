/**
 * How long a chain of five containers takes to come up and to go – client, gateway, NGINX, two shops, with networks, routes,
 * rules, and daemons that are ready – by the docker driver, and beside it by bare dockerode with the same images.
 *
 *     npm run build && node bench/docker.mjs [rounds]
 *
 * Needs root and a local daemon.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pack } from 'tar-stream';
import { kindOf, nodeSchema } from '../dist/nodes/registry.js';
import { connectDaemon } from '../dist/testbed/docker/daemon.js';
import { dockerDriver } from '../dist/testbed/docker/driver.js';
import { ensureImages } from '../dist/testbed/docker/images/ensure.js';
import { whyNotDirect } from '../dist/testbed/docker/reach.js';
import { makePlan } from '../dist/topology/make-plan.js';

/** What the project asks of itself, ms and as a ratio. */
const GOALS = { upMs: 2000, downMs: 1000, ratio: 1.3 };

const TOPOLOGY = {
  buyers: { kind: 'client', to: 'edge' },
  edge: { kind: 'nat', ports: '20000-20499', to: 'balancer' },
  balancer: { kind: 'nginx', to: 'shop' },
  shop: { kind: 'fixed', hosts: 2 },
};

const rounds = Number(process.argv[2] ?? 9);

async function timed(work) {
  const begin = performance.now();
  const result = await work();
  return { ms: performance.now() - begin, result };
}

/** The driver, with the nodes started as a run starts them: from the end of the chain. */
function byDriver(driver, plan, logsRoot) {
  let trial = 0;
  let testbed;
  const start = (name) => {
    const planned = testbed.plan.hosts.find((host) => host.name === name);
    const { listeners, targets, sources } = testbed.plan;
    return kindOf(planned.kind).start({
      host: testbed.hosts.get(name),
      planned,
      spec: planned.spec,
      plan: testbed.plan,
      listen: listeners[name],
      backends: targets[name] ?? [],
      sources: sources[name] ?? [],
      sharedDir: driver.sharedDir(planned.node, { trial: String(trial) }),
    });
  };
  return {
    async up() {
      trial++;
      testbed = await driver.build(plan, { trial: String(trial), logsRoot: join(logsRoot, String(trial)) });
      await Promise.all(['edge', 'shop[0]', 'shop[1]'].map(start));
      await start('balancer');
    },
    down: () => testbed.down(),
  };
}

const SUBNETS = { edge: '198.19.240', balancer: '198.19.241', shop: '198.19.242' };

const NGINX_CONF = `daemon off;
pid /portparty/run/nginx.pid;
error_log /portparty/logs/error.log warn;
events { worker_connections 4096; }
http {
  access_log /portparty/logs/access.log;
  upstream shop { server ${SUBNETS.shop}.11:8080; server ${SUBNETS.shop}.12:8080; }
  server { listen ${SUBNETS.balancer}.20:80; location / { proxy_pass http://shop; } }
}
`;
const NAT_RULES = `table ip bare {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "lo" ip daddr ${SUBNETS.balancer}.20 ip protocol tcp snat to ${SUBNETS.balancer}.10:20000-20499
  }
}
`;

/** What somebody would write who has dockerode and this one chain. */
function byDockerode(docker, images) {
  let networks;
  let containers;
  const run = promisify(execFile);

  async function network(name) {
    const made = await docker.createNetwork({
      Name: `portparty-bench-${name}`,
      Driver: 'bridge',
      Labels: { 'portparty.bench': 'bare' },
      IPAM: { Config: [{ Subnet: `${SUBNETS[name]}.0/24`, Gateway: `${SUBNETS[name]}.1` }] },
      Options: { 'com.docker.network.bridge.enable_ip_masquerade': 'false' },
    });
    return [name, made];
  }

  async function container(name, image, attachments, { command, rights = [], file } = {}) {
    const [[first, address], ...others] = attachments;
    const made = await docker.createContainer({
      name: `portparty-bench-${name}`,
      Image: images[image],
      Cmd: command,
      Labels: { 'portparty.bench': 'bare' },
      HostConfig: { Init: true, CapDrop: ['ALL'], CapAdd: rights, NetworkMode: `portparty-bench-${first}` },
      NetworkingConfig: { EndpointsConfig: { [`portparty-bench-${first}`]: endpoint(address) } },
    });
    for (const [other, at] of others)
      await networks.get(other).connect({ Container: made.id, EndpointConfig: endpoint(at) });
    if (file !== undefined) {
      const archive = pack();
      archive.entry({ name: file.path.slice(1) }, file.text);
      archive.finalize();
      await made.putArchive(archive, { path: '/' });
    }
    await made.start();
    const { State } = await made.inspect();
    return [name, { container: made, netns: `/proc/${State.Pid}/ns/net`, pid: State.Pid }];
  }

  const endpoint = (address) => ({ IPAMConfig: { IPv4Address: address } });

  const shop = (name, address) => {
    const options = {
      address,
      port: 8080,
      backlog: 4096,
      reusePort: false,
      keepaliveTimeoutMs: 5000,
      serviceTimeMs: 0,
      close: 'server',
      status: 200,
      log: '/portparty/logs/requests.log',
    };
    const program = '/portparty/package/dist/servers/fixed.js';
    return container(name, 'fixed', [['shop', address]], { command: ['node', program, JSON.stringify(options)] });
  };

  /** By the kernel's table: no connection is made. */
  async function listens({ pid }, port) {
    const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
    for (;;) {
      const table = await readFile(`/proc/${pid}/net/tcp`, 'utf8');
      if (table.split('\n').some((line) => / 0A /.test(line) && line.trim().split(/\s+/)[1].endsWith(wanted))) return;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  return {
    async up() {
      networks = new Map(await Promise.all(Object.keys(SUBNETS).map(network)));
      containers = new Map(
        await Promise.all([
          container('buyers', 'client', [['edge', `${SUBNETS.edge}.20`]]),
          container(
            'edge',
            'gateway',
            [
              ['edge', `${SUBNETS.edge}.10`],
              ['balancer', `${SUBNETS.balancer}.10`],
            ],
            { rights: ['NET_ADMIN'] },
          ),
          container(
            'balancer',
            'nginx',
            [
              ['balancer', `${SUBNETS.balancer}.20`],
              ['shop', `${SUBNETS.shop}.10`],
            ],
            {
              command: ['nginx', '-c', '/portparty/run/nginx.conf', '-e', '/portparty/logs/error.log'],
              file: { path: '/portparty/run/nginx.conf', text: NGINX_CONF },
            },
          ),
          shop('shop-0', `${SUBNETS.shop}.11`),
          shop('shop-1', `${SUBNETS.shop}.12`),
        ]),
      );
      const of = (name) => containers.get(name);
      const inside = (name, command) => run('nsenter', [`--net=${of(name).netns}`, 'sh', '-c', command]);
      await Promise.all([
        inside('buyers', `ip route replace default via ${SUBNETS.edge}.10`),
        inside('edge', `nft -f - <<'END'\n${NAT_RULES}END`),
        inside('balancer', 'ip route del default'),
        inside('shop-0', 'ip route del default'),
        inside('shop-1', 'ip route del default'),
        listens(of('balancer'), 80),
        listens(of('shop-0'), 8080),
        listens(of('shop-1'), 8080),
      ]);
    },
    async down() {
      await Promise.all([...containers.values()].map(({ container: one }) => one.remove({ force: true, v: true })));
      await Promise.all([...networks.values()].map((one) => one.remove()));
    },
  };
}

/** Removes what a bench that was killed has left. */
async function removeBare(docker) {
  const filters = { label: ['portparty.bench=bare'] };
  for (const { Id } of await docker.listContainers({ all: true, filters }))
    await docker.getContainer(Id).remove({ force: true, v: true });
  for (const { Id } of await docker.listNetworks({ filters })) await docker.getNetwork(Id).remove();
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ms = (value) => `${value.toFixed(0)} ms`.padStart(8);
const verdict = (met) => (met ? 'met' : 'MISSED');

async function measure(daemon) {
  const { docker } = daemon;
  const checked = Object.entries(TOPOLOGY).map(([name, node]) => [name, nodeSchema.parse(node)]);
  const plan = makePlan({ topology: Object.fromEntries(checked) });
  const images = await ensureImages(docker, ['client', 'gateway', 'nginx', 'fixed'], (line) => console.error(line));
  const driver = dockerDriver(daemon, (line) => console.error(line));
  const logsRoot = await mkdtemp(join(tmpdir(), 'portparty-bench-'));
  try {
    await removeBare(docker);
    const opening = await timed(() => driver.check(plan));
    const ways = { driver: byDriver(driver, plan, logsRoot), dockerode: byDockerode(docker, images) };
    const times = { driver: { up: [], down: [] }, dockerode: { up: [], down: [] } };
    // One round of each to warm up; then in turns, so that a drifting machine meets both alike.
    for (let round = 0; round <= rounds; round++)
      for (const name of round % 2 === 0 ? ['driver', 'dockerode'] : ['dockerode', 'driver'])
        for (const direction of ['up', 'down']) {
          const { ms: took } = await timed(() => ways[name][direction]());
          if (round > 0) times[name][direction].push(took);
        }
    report(daemon, opening.ms, times);
  } finally {
    await driver.close();
    await removeBare(docker);
    await rm(logsRoot, { recursive: true, force: true });
  }
}

function report(daemon, openingMs, times) {
  console.log(
    `5 containers, ${rounds} rounds, Docker ${daemon.version}, Linux ${release()}, ${cpus().length} CPUs; medians`,
  );
  const row = (name, key) =>
    console.log(`  ${name.padEnd(16)} up ${ms(median(times[key].up))}   down ${ms(median(times[key].down))}`);
  row('docker driver', 'driver');
  row('bare dockerode', 'dockerode');
  const [up, down] = ['up', 'down'].map((direction) => median(times.driver[direction]));
  const ratio = (direction) => median(times.driver[direction]) / median(times.dockerode[direction]);
  const whole = (up + down) / (median(times.dockerode.up) + median(times.dockerode.down));
  console.log(
    `  ratio            up ${ratio('up').toFixed(2)}, down ${ratio('down').toFixed(2)}, together ${whole.toFixed(2)}`,
  );
  console.log(`  once per run: images looked up and the reaper started in ${openingMs.toFixed(0)} ms`);
  console.log(`  goal up < ${GOALS.upMs} ms: ${verdict(up < GOALS.upMs)}`);
  console.log(`  goal down < ${GOALS.downMs} ms: ${verdict(down < GOALS.downMs)}`);
  console.log(`  goal within ${GOALS.ratio} of bare dockerode: ${verdict(whole <= GOALS.ratio)}`);
}

const daemon = await connectDaemon().catch((error) => error);
const obstacle = daemon instanceof Error ? daemon.message : whyNotDirect(daemon);
if (obstacle === undefined) await measure(daemon);
else console.log(`the chain of containers is not measured: ${obstacle}`);
