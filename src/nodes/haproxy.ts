/** `haproxy`: a reverse proxy and load balancer with queues; terminates connections and opens its own to the backends. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { type HaproxyFiles, renderConfig } from './haproxy/config.js';
import { readHaproxyLog } from './haproxy/logs.js';
import { RING_SUFFIX } from './haproxy/ring.js';
import { adaptConfig } from './haproxy/user-config.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  algorithm,
  backendConnections,
  backlog,
  commonKnobs,
  config,
  connectTimeout,
  healthCheck,
  keepalive,
  maxConnections,
  maxFails,
  queueLength,
  queueTimeout,
  rateLimit,
  redispatch,
  responseTimeout,
  retries,
  sourceAddresses,
  sticky,
  workers,
} from './knobs.js';
import { listensOn } from './ready.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive,
  sourceAddresses,
  workers,
  algorithm,
  sticky,
  maxConnections,
  backendConnections,
  queueTimeout,
  queueLength,
  retries,
  redispatch,
  healthCheck,
  maxFails,
  rateLimit,
  connectTimeout,
  responseTimeout,
  backlog,
  config,
});

/** The knobs of a haproxy node, resolved. */
export type HaproxySpec = z.output<typeof knobs>;

/** The kind `haproxy`: the product itself; its log goes through a ring buffer in a file, which loses no line (`haproxy/ring.ts`). */
export const haproxy = defineKind({
  kind: 'haproxy',
  layer: 'L7',
  summary: 'HAProxy as a reverse proxy and load balancer, with queues for its backends.',
  commands: { haproxy: 'haproxy' },
  image: 'haproxy',
  version: { name: 'haproxy', argv: ['haproxy', '-v'] },
  knobs,
  lacks: {
    failTimeout: 'HAProxy brings a backend back by its health checks; use `healthCheck: { interval: 2s, rise: 2 }`',
    workerConnections: 'HAProxy counts clients and backends apart; use `maxConnections` and `backendConnections`',
    cache:
      "HAProxy's cache lets all requests for one page through until it has it; use `kind: nginx` or a `config` of your own",
  },
  refuse,
  holdsDownIfAsked: true,
  start,
  imageConfig({ host, listen, backends, sources, userConfig }) {
    const files: HaproxyFiles = { socket: `${host.runDir}/haproxy.sock`, ring: undefined };
    // Where Docker's official image expects it, and where Debian's package does.
    const paths = ['/usr/local/etc/haproxy/haproxy.cfg', '/etc/haproxy/haproxy.cfg'];
    return { paths, ...adaptConfig(userConfig!, files, listen!, backends, sources) };
  },
  readLogs,
});

/** What HAProxy cannot do of these values. */
function refuse(spec: HaproxySpec): KnobProblem[] {
  const problems: KnobProblem[] = [];
  if (spec.sticky === 'consistent-hash' && !['round-robin', 'hash'].includes(spec.algorithm))
    problems.push({
      path: ['algorithm'],
      message: `\`sticky: consistent-hash\` picks the backend itself, so \`algorithm: ${spec.algorithm}\` would have no effect`,
      hint: 'leave out one of the two',
    });
  if (spec.maxFails !== undefined && spec.healthCheck === undefined)
    problems.push({
      path: ['maxFails'],
      message: 'HAProxy counts the failures of requests only beside health checks, which bring the backend back',
      hint: 'add `healthCheck: true`',
    });
  for (const knob of ['queueTimeout', 'queueLength'] as const) {
    if (spec[knob] !== undefined && spec.backendConnections === undefined && spec.config === undefined)
      problems.push({
        path: [knob],
        message: `nothing ever waits in the queue without a limit of connections, so \`${knob}\` would have no effect`,
        hint: 'add `backendConnections`',
      });
  }
  if ((spec.backendConnections ?? spec.sourceAddresses) < spec.sourceAddresses)
    problems.push({
      path: ['backendConnections'],
      message: `each of the ${spec.sourceAddresses} source addresses needs a connection of its own to each backend`,
      hint: `write at least ${spec.sourceAddresses}, or fewer \`sourceAddresses\``,
    });
  return problems;
}

/** Label of the daemon, and so the name of what it writes to stderr. */
const LABEL = 'haproxy';
/** In the host's log folder: the configuration, the log, what haproxy said of its limits once it ran, and of its requests when it was to end. */
const CONFIG_FILE = 'haproxy.cfg';
const LOG_FILE = 'access.log';
const STATE_FILE = 'haproxy-state.txt';
const OPEN_FILE = 'haproxy-open.txt';

/** How long haproxy may take to listen, ms; it takes some 50. */
const START_MS = 10_000;

async function start(context: NodeContext<HaproxySpec>): Promise<RunningNode> {
  const { host, spec, backends, sources, userConfig } = context;
  const listen = context.listen!;
  await checkVersion(host);
  const files: HaproxyFiles = {
    socket: `${host.runDir}/haproxy.sock`,
    ring: `${host.runDir}/${Date.now()}${RING_SUFFIX}`,
  };
  const { text, reducedAttribution } =
    userConfig === undefined
      ? { text: renderConfig(spec, files, listen, backends, sources), reducedAttribution: undefined }
      : adaptConfig(userConfig, files, listen, backends, sources);
  const path = await host.writeFile(CONFIG_FILE, text);
  // In the foreground, master-worker mode of a user's configuration included.
  const argv = ['haproxy', '-db', '-f', path];
  // UTC, as the Runtime API tells times without their zone.
  const daemon = await host.spawn(argv, { label: LABEL, openFiles: spec.openFiles, env: { TZ: 'UTC' } });
  await ready(host, daemon, listen);
  await host.writeFile(STATE_FILE, await ask(host, files, 'show info; show stat'));
  const hasQueue = userConfig !== undefined || spec.backendConnections !== undefined;
  let stopping: Promise<void> | undefined;
  return {
    processes: [daemon],
    reducedAttribution,
    stop() {
      stopping ??= stop(host, daemon, files, hasQueue);
      return stopping;
    },
  };
}

/** What the log needs came with this version. */
const OLDEST = [2, 6];

async function checkVersion(host: Host): Promise<void> {
  const { stdout } = await host.run(['haproxy', '-v']);
  const [text, major, minor] = /version (\d+)\.(\d+)\S*/.exec(stdout) ?? [stdout.trim(), '0', '0'];
  if (Number(major) > OLDEST[0] || (Number(major) === OLDEST[0] && Number(minor) >= OLDEST[1])) return;
  throw testbedError(`haproxy is too old: ${text}`, host.name, `install version ${OLDEST.join('.')} or newer`);
}

async function ready(host: Host, daemon: HostProcess, listen: Endpoint): Promise<void> {
  const deadline = performance.now() + START_MS;
  while (!(await listensOn(host, listen))) {
    if (!daemon.running) {
      const words = await lastWords(host);
      const hint = words.includes('raise FD limit') ? 'raise `openFiles`' : undefined;
      throw testbedError(`haproxy did not start: ${words}`, host.name, hint);
    }
    if (performance.now() > deadline)
      throw testbedError(
        `haproxy runs but does not listen on ${listen.address}:${listen.port}`,
        host.name,
        'write `bind {{listen}}` in a frontend of your configuration',
      );
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** haproxy says in alerts what is wrong with its configuration; the last ones only repeat that something is. */
async function lastWords(host: Host): Promise<string> {
  const words = (await host.readFile(`${LABEL}.log`)).trim();
  const [grave] = words.split('\n').filter((line) => line.startsWith('[ALERT]'));
  return grave?.replace(/^\[ALERT\]\s+\(\d+\) : (config : )?/, '') ?? (words || 'it said nothing');
}

/** How long haproxy may be silent when it is asked, ms. */
const ASK_MS = 5_000;

/** Asks the Runtime API; a connection to its unix socket is none that the taps or the log would show. */
async function ask(host: Host, files: HaproxyFiles, commands: string): Promise<string> {
  const program = `const socket = require('net').connect(process.argv[1]).end(process.argv[2] + '\\n');
    socket.setTimeout(${ASK_MS}, () => process.exit(1)).pipe(process.stdout);`;
  const { stdout } = await host.run([host.nodeBinary, '-e', program, files.socket, commands]);
  return stdout;
}

/**
 * SIGUSR1: haproxy ends its open requests, cuts off what takes longer than `hard-stop-after`, and logs them. Only those in a queue it
 * may leave out, so they are asked for before.
 */
async function stop(host: Host, daemon: HostProcess, files: HaproxyFiles, hasQueue: boolean): Promise<void> {
  if (daemon.running) {
    // Stopped in the middle of a run, it would not see the next signal.
    await daemon.signal('SIGCONT');
    if (hasQueue) await host.writeFile(OPEN_FILE, await ask(host, files, 'show sess all'));
    await endSoftly(daemon);
  }
  const program = `${host.distDir}/nodes/haproxy/rings-to-log.js`;
  await host.run([host.nodeBinary, program, host.runDir, `${host.logDir}/${LOG_FILE}`]);
}

async function endSoftly(daemon: HostProcess): Promise<void> {
  await daemon.signal('SIGUSR1');
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => {
    timer = setTimeout(resolve, 5_000);
  });
  await Promise.race([daemon.exited, patience]);
  clearTimeout(timer);
  if (!daemon.running) return;
  await daemon.signal('SIGTERM');
  await daemon.exited;
}

async function readLogs(host: Host): Promise<LogReading> {
  const files = [LOG_FILE, CONFIG_FILE, STATE_FILE, OPEN_FILE];
  const [log, text, state, open] = await Promise.all(files.map((file) => host.readFile(file)));
  return readHaproxyLog(host.name, { log, config: text, state, open });
}
