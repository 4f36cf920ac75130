/** `trafficserver`: Apache Traffic Server as a reverse proxy, with its backends as the parents that it selects among. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { endProcess } from './end-process.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  backendConnections,
  backlog,
  commonKnobs,
  config,
  connectTimeout,
  count,
  failTimeout,
  maxFails,
  queueLength,
  redispatch,
  responseTimeout,
  retries,
  sticky,
  stickyDecides,
  uncountedKeepalive,
  wholeSeconds,
} from './knobs.js';
import { awaitReady, mustListen } from './ready.js';
import {
  filesBeside,
  renderRecords,
  routesAndLog,
  runroot,
  type TrafficServerFolders,
} from './trafficserver/config.js';
import { logsAll } from './trafficserver/flush.js';
import { readTrafficServerLogs } from './trafficserver/logs.js';
import { adaptRecords } from './trafficserver/user-config.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive: uncountedKeepalive,
  /** The shared ones, and two of its own: by a consistent hash of the URL, and the first backend that is up. */
  algorithm: z
    .enum(['round-robin', 'least-connections', 'random-two', 'hash', 'url-hash', 'fallback'])
    .default('round-robin'),
  sticky,
  backendConnections,
  queueLength,
  retries,
  redispatch,
  maxFails,
  failTimeout,
  connectTimeout,
  responseTimeout,
  /** Threads that serve; one for each processor, and at least two, unless said otherwise. */
  workers: count(1, 64).optional(),
  backlog,
  config,
});

/** The knobs of a trafficserver node, resolved. */
export type TrafficServerSpec = z.output<typeof knobs>;

/** The kind `trafficserver`: Apache Traffic Server, with rendered files (`trafficserver/config.ts`) or a records.config of the user's own. */
export const trafficserver = defineKind({
  kind: 'trafficserver',
  layer: 'L7',
  summary: 'Apache Traffic Server as a reverse proxy, with parent selection, a queue and mark-downs of backends.',
  commands: { traffic_server: 'trafficserver' },
  image: 'trafficserver',
  version: { name: 'trafficserver', argv: ['traffic_server', '-V'] },
  knobs,
  lacks: {
    weights: 'Traffic Server takes turns among its parents without weights; use `kind: nginx` or `kind: haproxy`',
    sourceAddresses:
      'Traffic Server binds its connections to one address (`outgoing_ip_to_bind`); use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
    maxConnections:
      'Traffic Server resets connections beyond `max_requests_in` and logs nothing of them; use `backendConnections`, or `kind: haproxy`',
    workerConnections: 'Traffic Server counts no connections of its threads; use `openFiles` or `backendConnections`',
    queueTimeout:
      'Traffic Server has no time-out for its queue; use `queueLength` (and `responseTimeout`), or `kind: haproxy`',
    healthCheck:
      'Traffic Server has no health checks of its own; use `maxFails`, or `kind: haproxy` or `kind: varnish`',
    rateLimit: 'Traffic Server limits rates by a plugin only; use `kind: nginx` or `kind: haproxy`',
    cache: 'this kind runs Traffic Server without its cache; use `kind: varnish`, `kind: squid` or `kind: nginx`',
  },
  refuse,
  start,
  imageConfig({ host, spec, listen, backends, userConfig }) {
    const { text, reducedAttribution } = adaptRecords(userConfig!, foldersOf(host), listen!);
    return {
      paths: IMAGE_FOLDERS.map((folder) => `${folder}/records.config`),
      text,
      beside: routesAndLog(spec, backends),
      reducedAttribution,
    };
  },
  readLogs,
});

/** Where images keep its configuration: Debian's, and those that are built from source. */
const IMAGE_FOLDERS = ['/etc/trafficserver', '/usr/local/etc/trafficserver'];

/** Descriptors that it needs at the least: it keeps 192 for itself (THROTTLE_FD_HEADROOM). */
const LEAST_FILES = 200;

/** What Traffic Server cannot do of these values. */
function refuse(spec: TrafficServerSpec): KnobProblem[] {
  const problems: KnobProblem[] = [];
  const say = (path: KnobProblem['path'], message: string, hint: string) => problems.push({ path, message, hint });
  if (spec.sticky === 'cookie')
    say(['sticky'], 'Traffic Server sets no cookies of its own', 'use `sticky: source`, or `kind: haproxy`');
  else if (spec.sticky === 'consistent-hash')
    say(
      ['sticky'],
      "the consistent hash of Traffic Server is one of the URL, not of the visitor's address",
      'use `sticky: source`, or `algorithm: url-hash`, or `kind: haproxy`',
    );
  else if (spec.sticky !== 'none' && spec.algorithm !== 'round-robin') problems.push(stickyDecides(spec));
  if (spec.algorithm === 'least-connections' || spec.algorithm === 'random-two')
    say(
      ['algorithm'],
      `Traffic Server does not compare its backends' loads, so it has no \`algorithm: ${spec.algorithm}\``,
      'use round-robin, hash, url-hash or fallback, or `kind: nginx` or `kind: haproxy`',
    );
  if (spec.queueLength !== undefined && spec.backendConnections === undefined)
    say(['queueLength'], 'without a limit of connections nothing waits', 'add `backendConnections`');
  if (spec.failTimeout !== undefined && spec.maxFails === 0)
    say(['failTimeout'], '`maxFails: 0` holds no backend down', 'leave out one of the two');
  for (const knob of ['connectTimeout', 'responseTimeout', 'failTimeout'] as const) {
    const hint = wholeSeconds(spec[knob]);
    if (hint !== undefined) say([knob], 'Traffic Server counts this time in whole seconds', hint);
  }
  if (spec.openFiles !== undefined && spec.openFiles < LEAST_FILES)
    say(['openFiles'], 'Traffic Server keeps 192 descriptors for itself', `write at least ${LEAST_FILES}`);
  return problems;
}

/** How long it may take to listen, ms; it takes some 100. */
const START_MS = 10_000;

async function start({
  host,
  spec,
  backends,
  userConfig,
  ...context
}: NodeContext<TrafficServerSpec>): Promise<RunningNode> {
  const listen = context.listen!;
  const folders = foldersOf(host);
  const { text, reducedAttribution } =
    userConfig === undefined
      ? { text: renderRecords(spec, folders, listen), reducedAttribution: undefined }
      : adaptRecords(userConfig, folders, listen);
  const files = { ...filesBeside(spec, backends), 'runroot.yaml': runroot(folders), 'records.config': text };
  await Promise.all(Object.entries(files).map(([name, content]) => host.writeFile(name, content)));
  // One that was restarted goes on in the log of the one before.
  const { length } = await host.readFile('diags.log');
  const daemon = await host.spawn(['traffic_server'], {
    label: LABEL,
    openFiles: spec.openFiles,
    // UTC, so that the two logs' times can be compared.
    env: { TS_RUNROOT: folders.logs, TZ: 'UTC' },
  });
  await ready(host, daemon, listen, length);
  return {
    processes: [daemon],
    reducedAttribution,
    async stop() {
      if (daemon.running) await logsAll(host, listen);
      await endProcess(daemon);
    },
  };
}

const LABEL = 'traffic_server';

const foldersOf = ({ logDir, runDir }: Host): TrafficServerFolders => ({ logs: logDir, run: runDir });

async function ready(host: Host, daemon: HostProcess, listen: Endpoint, logStart: number): Promise<void> {
  const diags = async () => (await host.readFile('diags.log')).slice(logStart);
  /** What it has said so far. It passes over a setting that it does not know, and only says so. */
  const words = async () => {
    const all = `${await host.readFile(`${LABEL}.log`)}\n${await diags()}`;
    const unknown = /Unrecognized configuration value .*/.exec(all)?.[0];
    if (unknown !== undefined) throw testbedError(`Traffic Server: ${unknown}`, host.name, 'see records.config');
    return all;
  };
  await awaitReady(daemon, {
    withinMs: START_MS,
    isReady: async () => (await words()).includes('traffic server running'),
    ended: async () => testbedError(`Traffic Server did not start: ${graveWords(await words())}`, host.name),
    late: async () =>
      testbedError(`Traffic Server was not ready within ${START_MS / 1000} s`, host.name, 'see its diags.log'),
  });
  const hint = 'write `CONFIG proxy.config.http.server_ports STRING {{listen}}` in your configuration';
  await mustListen(host, 'Traffic Server', listen, hint);
}

/** Its last words of weight, without their times. */
function graveWords(words: string): string {
  const grave = words.split('\n').filter((line) => /EMERGENCY|FATAL|ALERT|ERROR|Fatal|Emergency/.test(line));
  return (
    grave
      .slice(-2)
      .map((line) => line.replace(/^\[[^\]]*\] /, ''))
      .join('; ') || 'it said nothing'
  );
}

async function readLogs(host: Host): Promise<LogReading> {
  const [access, diags, records, parents] = await Promise.all(
    ['access.log', 'diags.log', 'records.config', 'parent.config'].map((name) => host.readFile(name)),
  );
  return readTrafficServerLogs(host.name, { access, diags, records, parents });
}
