/** `caddy`: a reverse proxy and load balancer, written in Go; terminates connections and opens its own to the backends. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { type CaddyFiles, renderConfig } from './caddy/config.js';
import { readCaddyLog } from './caddy/logs.js';
import { adaptConfig } from './caddy/user-config.js';
import { endProcess } from './end-process.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  algorithm,
  backendConnections,
  commonKnobs,
  config,
  connectTimeout,
  failTimeout,
  healthCheck,
  keepalive,
  maxFails,
  responseTimeout,
  retries,
  sticky,
  stickyDecides,
} from './knobs.js';
import { awaitReady, mustListen } from './ready.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive,
  algorithm,
  sticky,
  backendConnections,
  retries,
  healthCheck,
  maxFails,
  failTimeout,
  connectTimeout,
  responseTimeout,
  config,
});

/** The knobs of a caddy node, resolved. */
export type CaddySpec = z.output<typeof knobs>;

/** Caddy 2, as a reverse proxy that balances between its backends. */
export const caddy = defineKind({
  kind: 'caddy',
  layer: 'L7',
  summary: 'Caddy as a reverse proxy and load balancer.',
  commands: { caddy: 'caddy' },
  image: 'caddy',
  version: { name: 'caddy', argv: ['caddy', 'version'] },
  knobs,
  lacks: {
    weights: 'Caddy 2.6 balances without weights; use `kind: nginx` or `kind: haproxy`',
    sourceAddresses:
      'Caddy 2.6 opens its connections from the address that the route gives it; use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
    maxConnections:
      'Caddy has no limit of client connections; use `openFiles` (it stops accepting when descriptors run short), or `kind: haproxy`',
    workerConnections: 'Caddy counts no connections of its own; use `openFiles`',
    queueTimeout:
      'a request waits for a connection (`backendConnections`) until its client leaves; use `kind: haproxy`, or `timeout.response` of the traffic',
    queueLength: 'any number of requests may wait for a connection (`backendConnections`); use `kind: haproxy`',
    redispatch: 'Caddy picks a backend anew for every try; leave it out, or use `retries: 0`',
    rateLimit: 'Caddy limits rates by modules of others only; use `kind: nginx` or `kind: haproxy`',
    cache: 'Caddy caches by modules of others only; use `kind: nginx`, `kind: varnish` or `kind: squid`',
    workers: 'Caddy is one process that uses all processors; leave out `workers`, or use `hosts: n`',
    backlog: "Caddy's backlog is what the kernel allows at most; use `sysctls: { net.core.somaxconn: n }`",
  },
  refuse,
  holdsDownIfAsked: true,
  waitsWithoutLimit: true,
  reloads: true,
  live: [
    'keepalive',
    'algorithm',
    'sticky',
    'backendConnections',
    'retries',
    'healthCheck',
    'maxFails',
    'failTimeout',
    'connectTimeout',
    'responseTimeout',
  ],
  start,
  imageConfig({ host, listen, backends, userConfig }) {
    return { paths: [IMAGE_CONFIG], ...adaptConfig(userConfig!, filesOf(host), listen!, backends, 'image') };
  },
  readLogs,
});

/** What Caddy 2.6 cannot do of these values. */
function refuse(spec: CaddySpec): KnobProblem[] {
  const problems: KnobProblem[] = [];
  const say = (path: KnobProblem['path'], message: string, hint: string) => problems.push({ path, message, hint });
  if (spec.sticky !== 'none' && spec.algorithm !== 'round-robin') problems.push(stickyDecides(spec));
  if (spec.failTimeout !== undefined && spec.maxFails === undefined)
    say(['failTimeout'], 'Caddy holds no backend down unless it is asked to', 'add `maxFails: 1`');
  if (spec.failTimeout === 0)
    say(['failTimeout'], 'held down for no time a backend would not be held down at all', 'write it like 10s');
  if (spec.healthCheck !== undefined && (spec.healthCheck.fall !== 1 || spec.healthCheck.rise !== 1))
    say(
      ['healthCheck'],
      'one check that fails has Caddy 2.6 mark a backend down, and one that succeeds brings it back',
      `write \`healthCheck: { interval: ${spec.healthCheck.interval}ms, fall: 1, rise: 1 }\``,
    );
  for (const knob of ['connectTimeout', 'responseTimeout'] as const)
    if (spec[knob] === 0) say([knob], 'a time-out of 0 is none for Caddy', 'write it like 3s');
  return problems;
}

/** In the host's log folder: the configuration, and what Caddy says of each request. */
const CONFIG_FILE = 'Caddyfile';
const LOG_FILE = 'requests.log';
const LABEL = 'caddy';
/** The configuration of an image, where Caddy's official one and Debian's package have it. */
const IMAGE_CONFIG = '/etc/caddy/Caddyfile';

function filesOf(host: Host): CaddyFiles {
  return {
    log: `${host.logDir}/${LOG_FILE}`,
    admin: `unix/${host.runDir}/admin.sock`,
    storage: `${host.runDir}/caddy`,
  };
}

/** How long caddy may take to listen, ms; it takes some 100. */
const START_MS = 10_000;

async function start(context: NodeContext<CaddySpec>): Promise<RunningNode> {
  const { host, spec, backends, userConfig } = context;
  const listen = context.listen!;
  const files = filesOf(host);
  const render = (knobs: CaddySpec) =>
    userConfig === undefined
      ? { text: renderConfig(knobs, files, listen, backends), reducedAttribution: undefined }
      : adaptConfig(userConfig, files, listen, backends);
  const { text, reducedAttribution } = render(spec);
  const path = await host.writeFile(CONFIG_FILE, text);
  const from = ['--config', path, '--adapter', 'caddyfile'];
  // One that was restarted goes on in the log of the one before.
  const { length } = await said(host);
  const daemon = await host.spawn(['caddy', 'run', ...from], {
    label: LABEL,
    openFiles: spec.openFiles,
    // Where it keeps what outlives it: certificates, and the last configuration.
    env: { HOME: host.runDir, XDG_DATA_HOME: host.runDir, XDG_CONFIG_HOME: host.runDir },
  });
  await ready(host, daemon, listen, length);
  const reload = async () => {
    await host.run(['caddy', 'reload', ...from, '--address', files.admin, '--force']);
  };
  let changed = spec;
  return {
    processes: [daemon],
    reducedAttribution,
    reload,
    async change(knobs) {
      changed = { ...changed, ...knobs };
      await host.writeFile(CONFIG_FILE, render(changed).text);
      await reload();
    },
    async stop() {
      // Stopped in the middle of a run, it would not see the next signal.
      if (daemon.running) await daemon.signal('SIGCONT');
      await endProcess(daemon);
    },
  };
}

/** What it says once it accepts connections, and not only binds their address. */
const READY = 'serving initial configuration';

async function ready(host: Host, daemon: HostProcess, listen: Endpoint, logStart: number): Promise<void> {
  await awaitReady(daemon, {
    withinMs: START_MS,
    isReady: async () => (await said(host)).slice(logStart).includes(READY),
    ended: async () => testbedError(`caddy did not start: ${await lastWords(host)}`, host.name),
    late: async () =>
      testbedError(`caddy was not ready within ${START_MS / 1000} s`, host.name, `see its ${LABEL}.log`),
  });
  await mustListen(host, 'caddy', listen, 'write `{{listen}}` as the address of a site of your configuration');
}

const said = (host: Host) => host.readFile(`${LABEL}.log`);

/** Caddy says in plain words what is wrong with its configuration, and everything else as JSON. */
async function lastWords(host: Host): Promise<string> {
  const words = (await said(host)).trim();
  const lines = words.split('\n').filter((line) => !line.startsWith('{'));
  return lines.at(-1)?.replace(/^(Error|run): /, '') ?? (words || 'it said nothing');
}

async function readLogs(host: Host): Promise<LogReading> {
  const [log, own] = await Promise.all([host.readFile(LOG_FILE), host.readFile(CONFIG_FILE)]);
  return readCaddyLog(host.name, log, own || (await host.readFile(IMAGE_CONFIG)));
}
