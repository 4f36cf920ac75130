/**
 * What `portparty watch` costs on a host with many sockets: CPU of its process by the kernel's own account (/proc/PID/stat), while other
 * processes hold the connections in network namespaces made for it. Needs root, or user namespaces for everybody.
 *
 *     npm run build && node bench/watch.mjs [sockets] [seconds] [option of watch ...]
 */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { C, setns, unshare } from '../dist/sys/libc.js';
import { inNamespace } from '../dist/sys/namespace.js';
import { holdArgv, PER_PROCESS } from './lib/hold.mjs';

const SELF = fileURLToPath(import.meta.url);
const MAIN = fileURLToPath(new URL('../dist/cli/main.js', import.meta.url));
const ISOLATION = '--user --map-root-user --mount --pid --fork --kill-child --net --mount-proc'.split(' ');
const CLIENT = '198.18.0.2';
const SERVER = '198.18.0.1';
const LISTENERS = 20;
const TICKS_PER_SECOND = 100;
/** The first counts come from the watch's savings; what is measured is what it costs for ever. */
const SETTLE_SECONDS = 90;

const [role = '50000', ...rest] = process.argv.slice(2);
if (role === 'measure') await measure(...rest);
else {
  const { status } = spawnSync('unshare', [...ISOLATION, process.execPath, SELF, 'measure', role, ...rest], {
    stdio: 'inherit',
  });
  process.exitCode = status ?? 1;
}

function makeNamespace() {
  const home = openSync('/proc/self/ns/net', 'r');
  if (unshare(C.CLONE_NEWNET) !== 0) throw new Error('unshare');
  const fd = openSync('/proc/self/ns/net', 'r');
  if (setns(home, C.CLONE_NEWNET) !== 0) throw new Error('setns');
  return `/proc/${process.pid}/fd/${fd}`;
}

function run(netns, ...argv) {
  const { status, stdout, stderr } = inNamespace(netns, () =>
    spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', maxBuffer: 1 << 28 }),
  );
  if (status !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
  return stdout;
}

function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return { user: fields[11] / TICKS_PER_SECOND, system: fields[12] / TICKS_PER_SECOND };
}

async function measure(sockets, seconds = '120', ...options) {
  const client = makeNamespace();
  // `ip` takes a process for a namespace.
  const inside = inNamespace(client, () => spawn('sleep', ['infinity'], { stdio: 'ignore' }));
  run(null, 'ip', 'link', 'add', 'veth-s', 'type', 'veth', 'peer', 'name', 'veth-c', 'netns', String(inside.pid));
  run(client, 'ip', 'addr', 'add', `${CLIENT}/24`, 'dev', 'veth-c');
  run(client, 'ip', 'link', 'set', 'veth-c', 'up');
  run(null, 'ip', 'link', 'set', 'veth-s', 'up');
  run(null, 'ip', 'addr', 'add', `${SERVER}/24`, 'dev', 'veth-s');
  run(null, 'ip', 'link', 'set', 'lo', 'up');
  run(client, 'sysctl', '-qw', 'net.ipv4.ip_local_port_range=10240 65535');
  const home = `/proc/${process.pid}/ns/net`;
  const holders = [];
  for (let held = 0; held < Number(sockets); held += PER_PROCESS) {
    const count = Math.min(PER_PROCESS, Number(sockets) - held);
    const [command, ...argv] = holdArgv({
      client,
      server: home,
      address: SERVER,
      ports: Array.from({ length: LISTENERS }, (_, index) => 1000 + holders.length * LISTENERS + index),
      count,
    });
    const child = spawn(command, argv, { stdio: ['ignore', 'pipe', 'inherit'] });
    holders.push(child);
    await once(child.stdout, 'data');
  }
  const watch = inNamespace(client, () =>
    spawn(process.execPath, [MAIN, 'watch', '--json', ...options], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  const samples = [];
  createInterface({ input: watch.stdout }).on('line', (line) => samples.push(JSON.parse(line)));
  const wait = (time) => new Promise((resolve) => setTimeout(resolve, time * 1000));
  await wait(SETTLE_SECONDS);
  const [from, begun, first] = [cpuSeconds(watch.pid), performance.now(), samples.length];
  await wait(Number(seconds));
  const [to, passed] = [cpuSeconds(watch.pid), (performance.now() - begun) / 1000];
  const share = (kind) => `${(((to[kind] - from[kind]) / passed) * 100).toFixed(2)} %`;
  const measured = samples.slice(first);
  const counts = new Set(measured.map(({ counted }) => counted.at));
  const last = measured.at(-1);
  const ss = run(client, 'ss', '-Htan', 'state', 'established').trim().split('\n').length;
  console.log(
    `${sockets} sockets, ${passed.toFixed(0)} s, Linux ${release()}, ${cpus().length} CPUs, Node ${process.version}`,
  );
  console.log(
    `counted ${last.counted.sockets}, ss counts ${ss}; ${last.counted.pools} pools; ${last.processes.top.length} processes`,
  );
  console.log(`${measured.length} samples, ${counts.size} counts, ${last.counted.cpuMs.toFixed(1)} ms of CPU each`);
  console.log(
    `CPU of one core: ${(((to.user + to.system - from.user - from.system) / passed) * 100).toFixed(2)} % (user ${share('user')}, system ${share('system')})`,
  );
  for (const child of [watch, inside, ...holders]) child.kill('SIGKILL');
}
