/**
 * The running haproxy of one host: a master process and its worker, as a service of a distribution runs it.
 *
 *     reload --> haproxy -c --> master --new worker--> takes over the listening sockets, serves
 *                                     \--old worker--> finishes its requests, ends
 */
import { testbedError } from '../../errors.js';
import type { Host, HostProcess } from '../../testbed/host.js';
import type { Endpoint } from '../../topology/plan.js';
import { endsWithin } from '../end-process.js';
import type { HaproxySpec } from '../haproxy.js';
import type { NodeContext, RunningNode } from '../kind.js';
import { awaitReady, listensOn, notListening } from '../ready.js';
import { type HaproxyFiles, renderConfig } from './config.js';
import { RING_SUFFIX } from './ring.js';
import { adaptConfig } from './user-config.js';

/** Label of the daemon, and so the name of what it writes to stderr. */
const LABEL = 'haproxy';

/** The rendered configuration, in the host's log folder. */
export const CONFIG_FILE = 'haproxy.cfg';
/** The log that the ring buffers are copied into at the end, in the host's log folder. */
export const LOG_FILE = 'access.log';
/** What each worker said of its limits once it ran, in the host's log folder. */
export const STATE_FILE = 'haproxy-state.txt';
/** What each worker said of its requests when it was to end, in the host's log folder. */
export const OPEN_FILE = 'haproxy-open.txt';

/** How long haproxy may take to listen, ms; it takes some 50. */
const START_MS = 10_000;

/** Starts haproxy; resolves when it listens. Throws a PortPartyError (exit 3) with haproxy's own words. */
export async function startHaproxy(context: NodeContext<HaproxySpec>): Promise<RunningNode> {
  const { host, spec, backends, sources, userConfig } = context;
  const listen = context.listen!;
  await checkVersion(host);
  let files: HaproxyFiles = { socket: `${host.runDir}/haproxy.sock`, ring: newRing(host) };
  const { text, reducedAttribution } =
    userConfig === undefined
      ? { text: renderConfig(spec, files, listen, backends, sources), reducedAttribution: undefined }
      : adaptConfig(userConfig, files, listen, backends, sources);
  const path = await host.writeFile(CONFIG_FILE, text);
  const master = `${host.runDir}/master.sock`;
  const argv = ['haproxy', '-W', '-S', master, '-f', path];
  // UTC, as the Runtime API tells times without their zone.
  const daemon = await host.spawn(argv, { label: LABEL, openFiles: spec.openFiles, env: { TZ: 'UTC' } });
  await ready(host, daemon, listen);
  await noteState(host, await workers(host, master, 'state'));
  let changed = spec;
  let mayQueue = userConfig !== undefined || spec.backendConnections !== undefined;
  let stopping: Promise<void> | undefined;

  /** Has a new worker run this configuration, which has the ring buffer that `files` names. */
  async function load(configuration: string): Promise<void> {
    await host.writeFile(CONFIG_FILE, configuration);
    await host.run(['haproxy', '-c', '-f', path]);
    const said = (await host.readFile(`${LABEL}.log`)).length;
    try {
      await noteState(host, await workers(host, master, 'reload'));
    } catch (error) {
      const words = alertIn((await host.readFile(`${LABEL}.log`)).slice(said)) ?? (error as Error).message;
      throw testbedError(`haproxy did not load its configuration again: ${words}`, host.name, undefined, error);
    }
  }

  /** Each worker has a ring buffer of its own, for the one before goes on writing to its own. */
  function renewRing(): string {
    const before = files.ring!;
    files = { ...files, ring: newRing(host) };
    return before;
  }

  return {
    processes: [daemon],
    reducedAttribution,
    async reload() {
      const before = renewRing();
      await load((await host.readFile(CONFIG_FILE)).replaceAll(before, files.ring!));
    },
    async change(knobs) {
      changed = { ...changed, ...knobs };
      mayQueue ||= changed.backendConnections !== undefined;
      renewRing();
      await load(renderConfig(changed, files, listen, backends, sources));
    },
    stop() {
      stopping ??= stop(host, daemon, master, mayQueue);
      return stopping;
    },
  };
}

/** The name of one that is begun now; they sort by time. */
const newRing = (host: Host) => `${host.runDir}/${Date.now()}${RING_SUFFIX}`;

/** What the log needs came with this version. */
const OLDEST = [2, 6];

async function checkVersion(host: Host): Promise<void> {
  const { stdout } = await host.run(['haproxy', '-v']);
  const [text, major, minor] = /version (\d+)\.(\d+)\S*/.exec(stdout) ?? [stdout.trim(), '0', '0'];
  if (Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return;
  throw testbedError(`haproxy is too old: ${text}`, host.name, `install version ${OLDEST.join('.')} or newer`);
}

function ready(host: Host, daemon: HostProcess, listen: Endpoint): Promise<void> {
  return awaitReady(daemon, {
    withinMs: START_MS,
    isReady: () => listensOn(host, listen),
    async ended() {
      const words = await lastWords(host);
      const hint = words.includes('raise FD limit') ? 'raise `openFiles`' : undefined;
      return testbedError(`haproxy did not start: ${words}`, host.name, hint);
    },
    late: async () =>
      notListening(host, 'haproxy', listen, 'write `bind {{listen}}` in a frontend of your configuration'),
  });
}

async function lastWords(host: Host): Promise<string> {
  const words = (await host.readFile(`${LABEL}.log`)).trim();
  return alertIn(words) ?? (words || 'it said nothing');
}

/** haproxy says in alerts what is wrong with its configuration; the last ones only repeat that something is. */
function alertIn(words: string): string | undefined {
  const grave = words.split('\n').find((line) => line.startsWith('[ALERT]'));
  return grave?.replace(/^\[ALERT\]\s+\(\d+\) : (config : )?/, '');
}

/** Speaks with the master process; its socket is none that the taps or the log would show. */
async function workers(host: Host, master: string, ...task: string[]): Promise<string> {
  const { stdout } = await host.run([host.nodeBinary, `${host.distDir}/nodes/haproxy/workers.js`, master, ...task]);
  return stdout;
}

/** One worker's state stands behind the other's; each line of the log names the worker that wrote it. */
async function noteState(host: Host, state: string): Promise<void> {
  await host.writeFile(STATE_FILE, (await host.readFile(STATE_FILE)) + state);
}

/** How long requests under way may take to end when haproxy is told to, before they are cut off (and logged), ms. */
const STOP_MS = 500;
/** How long it may take to end after that, ms. */
const END_MS = 5_000;

/** Ends it so that each request has its line; only of those in a queue it may leave one out, so they are asked for before. */
async function stop(host: Host, daemon: HostProcess, master: string, mayQueue: boolean): Promise<void> {
  if (daemon.running) {
    // Stopped in the middle of a run, it would not see the next signal.
    await daemon.signal('SIGCONT');
    if (mayQueue) await host.writeFile(OPEN_FILE, await workers(host, master, 'open'));
    await workers(host, master, 'end', String(STOP_MS));
    if (!(await endsWithin(daemon, END_MS))) {
      await daemon.signal('SIGTERM');
      await daemon.exited;
    }
  }
  const program = `${host.distDir}/nodes/haproxy/rings-to-log.js`;
  await host.run([host.nodeBinary, program, host.runDir, `${host.logDir}/${LOG_FILE}`]);
}
