// Makes a bare machine fit for the Docker driver and its tests: `npm run docker`, `.ci/run`.
//
//     node scripts/prepare-docker.mjs          a daemon that answers, and all images; says on stdout what there is, or why not
//     node scripts/prepare-docker.mjs --stop   ends the daemon, if it was started by this script
//
// A daemon that answers already is used as it is. Else, on a machine of one's own (Linux, root, apt-get), docker.io is installed
// and dockerd started; it sets the machine's FORWARD policy to DROP, as every dockerd does. Its log and its process id are in
// node_modules/.cache/portparty-dockerd/.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const SELF = fileURLToPath(import.meta.url);
process.chdir(fileURLToPath(new URL('..', import.meta.url)));

const CACHE = 'node_modules/.cache/portparty-dockerd';
const PID_FILE = `${CACHE}/pid`;
const LOG_FILE = `${CACHE}/dockerd.log`;
const SOCKET = '/var/run/docker.sock';
const START_MS = 60_000;
const STOP_MS = 30_000;

/** Thrown where there can be no daemon. */
class NoDaemon extends Error {}

const say = (text) => process.stderr.write(`docker: ${text}\n`);

function answers() {
  return new Promise((resolve) => {
    const asking = request({ socketPath: SOCKET, path: '/_ping', timeout: 5000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asking.on('timeout', () => asking.destroy());
    asking.on('error', () => resolve(false));
    asking.end();
  });
}

/** The words in which dockerd gave up. */
function lastWords() {
  const lines = readFileSync(LOG_FILE, 'utf8').trim().split('\n');
  const failed = lines.findLast((line) => /^failed to start|level=(fatal|error)/.test(line)) ?? lines.at(-1);
  return failed.replace(/^time=\S+ level=\w+ msg="?|"$/g, '');
}

function installDocker() {
  if (spawnSync('dockerd', ['--version']).status === 0) return;
  if (spawnSync('apt-get', ['--version']).status !== 0) throw new NoDaemon('docker is not installed, and there is no apt-get');
  say('installing docker.io with apt-get');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Machines without systemd have nobody who mounts the cgroups.
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'docker.io', 'cgroupfs-mount'];
  for (const argv of [['update', '-qq'], install]) {
    const { status } = spawnSync('apt-get', argv, { env, stdio: ['ignore', 2, 2] });
    if (status !== 0) throw new NoDaemon(`apt-get ${argv.join(' ')} failed`);
  }
}

/** Whether the process is one that this script has started: a number can be another's by now. */
function isOurs(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')[0].endsWith('dockerd');
  } catch {
    return false;
  }
}

async function startDaemon() {
  const { DOCKER_HOST } = process.env;
  if (DOCKER_HOST !== undefined) throw new NoDaemon(`no daemon answers at DOCKER_HOST=${DOCKER_HOST}`);
  if (process.platform !== 'linux') throw new NoDaemon(`no daemon answers, and this is ${process.platform}: start Docker Desktop`);
  if (process.getuid() !== 0) throw new NoDaemon('no daemon answers, and only root can start one');
  installDocker();
  // Where the package's own service has started it.
  for (let tries = 0; tries < 10 && existsSync('/run/systemd/system'); tries++) {
    if (await answers()) return;
    await sleep(500);
  }
  if (!/ cgroup2? /.test(readFileSync('/proc/self/mountinfo', 'utf8'))) spawnSync('cgroupfs-mount');
  mkdirSync(CACHE, { recursive: true });
  const log = openSync(LOG_FILE, 'w');
  say('starting dockerd');
  const daemon = spawn('dockerd', [], { stdio: ['ignore', log, log], detached: true });
  let ended;
  daemon.once('exit', (code, signal) => {
    ended = `${code ?? signal}`;
  });
  daemon.once('error', (error) => {
    ended = error.message;
  });
  daemon.unref();
  for (const end = Date.now() + START_MS; !(await answers()); await sleep(100)) {
    if (ended !== undefined) throw new NoDaemon(`dockerd cannot run here: ${lastWords() || ended}`);
    if (Date.now() > end) {
      daemon.kill('SIGTERM');
      throw new NoDaemon(`dockerd does not answer within ${START_MS / 1000} s; see ${LOG_FILE}`);
    }
  }
  writeFileSync(PID_FILE, `${daemon.pid}\n`);
}

async function stopDaemon() {
  if (!existsSync(PID_FILE)) return;
  const pid = Number(readFileSync(PID_FILE, 'utf8'));
  rmSync(PID_FILE);
  if (!isOurs(pid)) return;
  say('stopping dockerd');
  process.kill(pid, 'SIGTERM');
  for (const end = Date.now() + STOP_MS; isOurs(pid) && Date.now() < end; ) await sleep(100);
}

/** Builds all images on a daemon that answers; undefined where none does. */
async function images() {
  const { connectDaemon } = await import('../dist/testbed/docker/daemon.js');
  const { ensureImages } = await import('../dist/testbed/docker/images/ensure.js');
  const { imageNames } = await import('../dist/testbed/docker/images/catalog.js');
  const daemon = await connectDaemon().catch(() => undefined);
  if (daemon === undefined) return undefined;
  const built = await ensureImages(daemon.docker, imageNames(), say);
  return `Docker ${daemon.version}, ${Object.keys(built).length} images ready`;
}

async function prepare() {
  const there = await images();
  if (there !== undefined) return there;
  await startDaemon();
  // Another process: this one has found that there is no daemon, once and for all.
  const { status, stdout } = spawnSync(process.execPath, [SELF, '--images'], { stdio: ['ignore', 'pipe', 2], encoding: 'utf8' });
  if (status !== 0) process.exit(status ?? 1);
  return stdout.trim();
}

try {
  if (process.argv[2] === '--stop') await stopDaemon();
  else console.log(process.argv[2] === '--images' ? await images() : await prepare());
} catch (error) {
  if (!(error instanceof NoDaemon) && error.exitCode === undefined) throw error;
  console.log(`no Docker tests: ${error.message}`);
  process.exitCode = 3;
}
