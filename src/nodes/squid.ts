/** `squid`: a caching proxy, in front of servers (`mode: reverse`) or of the clients of an office (`mode: forward`). */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { endProcess } from './end-process.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  algorithm,
  backendConnections,
  cache,
  commonKnobs,
  config,
  connectTimeout,
  count,
  maxFails,
  redispatch,
  responseTimeout,
  sourceAddresses,
  sticky,
  uncountedKeepalive,
  weightProblems,
  weights,
  wholeSeconds,
} from './knobs.js';
import { awaitReady, listensOn, notListening } from './ready.js';
import { renderConfig, type SquidFiles } from './squid/config.js';
import { asNobodySpecial } from './squid/identity.js';
import { readSquidLogs } from './squid/logs.js';
import { type Peer, peersIn } from './squid/peers.js';
import { adaptConfig } from './squid/user-config.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  /** `reverse`: it stands for the servers behind it. `forward`: its clients name the server that they want. */
  mode: z.enum(['reverse', 'forward']).default('reverse'),
  keepalive: uncountedKeepalive,
  sourceAddresses,
  algorithm,
  sticky,
  weights,
  backendConnections,
  retries: count(0, 10).optional(),
  redispatch,
  maxFails,
  connectTimeout,
  responseTimeout,
  cache,
  config,
});

/** The knobs of a squid node, resolved. */
export type SquidSpec = z.output<typeof knobs>;

/** The kind `squid`: the product itself, with a rendered squid.conf (`squid/config.ts`) or the user's own (`squid/user-config.ts`). */
export const squid = defineKind({
  kind: 'squid',
  layer: 'L7',
  summary: 'Squid as a caching proxy, in front of servers (reverse) or of an office (forward).',
  commands: { squid: 'squid' },
  image: 'squid',
  version: { name: 'squid', argv: ['squid', '-v'] },
  knobs,
  lacks: {
    maxConnections:
      'Squid has no limit of client connections; use `openFiles` (it stops accepting when descriptors run short), or `kind: haproxy`',
    workerConnections: 'Squid counts no connections of its own; use `openFiles`',
    queueTimeout: 'Squid has no queue for its backends; use `kind: haproxy`',
    queueLength: 'Squid has no queue for its backends; use `kind: haproxy`',
    healthCheck: 'Squid probes a backend only once it is DEAD; use `maxFails`, or `kind: haproxy` or `kind: varnish`',
    failTimeout:
      'Squid probes a DEAD backend once a second when a request asks for it; `maxFails` says after how many failures it is DEAD',
    rateLimit: 'Squid limits bandwidth, not requests; use `kind: nginx` or `kind: haproxy`',
    workers: 'one process of Squid runs per host here; use `hosts: n`',
    backlog:
      "Squid's backlog is a quarter of the descriptors that it may open; use `openFiles`, or `sysctls: { net.core.somaxconn: n }`",
  },
  refuse,
  reloads: true,
  live: [
    'keepalive',
    'algorithm',
    'sticky',
    'weights',
    'backendConnections',
    'retries',
    'redispatch',
    'maxFails',
    'connectTimeout',
    'responseTimeout',
    'cache',
  ],
  start,
  imageConfig({ host, planned, spec, listen, backends, sources, userConfig }) {
    const where = `topology.${planned.node}.config`;
    const adapted = adaptConfig(userConfig!, spec, filesOf(host), listen!, backends, sources, where);
    return { paths: ['/etc/squid/squid.conf'], ...adapted };
  },
  readLogs,
});

/** Why a knob has no meaning for a forward proxy, which asks whatever server its client names. */
const BACKENDS_ARE_NAMED = 'a forward proxy asks the server that its client names';

/** What Squid cannot do of these values. */
function refuse(spec: SquidSpec): KnobProblem[] {
  const problems = weightProblems(spec);
  const say = (path: KnobProblem['path'], message: string, hint: string) => problems.push({ path, message, hint });
  if (spec.sticky === 'cookie')
    say(['sticky'], 'Squid sets no cookies of its own', 'use `sticky: source`, or `kind: haproxy`');
  if (spec.sticky === 'consistent-hash')
    say(
      ['sticky'],
      'the hash of Squid by client address is not a consistent one',
      'use `sticky: source`, or another kind',
    );
  if (spec.algorithm === 'least-connections' || spec.algorithm === 'random-two')
    say(
      ['algorithm'],
      `Squid has no \`algorithm: ${spec.algorithm}\``,
      'use round-robin or hash, or `kind: nginx` or `kind: haproxy`',
    );
  if (spec.weights?.includes(0))
    say(
      ['weights'],
      'Squid takes a weight of 0 for 1',
      'write at least 1, or use `kind: nginx` or `kind: haproxy`, which leave such a backend out',
    );
  for (const knob of ['connectTimeout', 'responseTimeout'] as const) {
    const hint = wholeSeconds(spec[knob]);
    if (hint !== undefined) say([knob], 'Squid counts its time-outs in whole seconds', hint);
  }
  if (spec.cache !== undefined && (spec.cache.ttl === 0 || spec.cache.ttl % 60_000 !== 0))
    say(
      ['cache', 'ttl'],
      'Squid counts the age of what it keeps in whole minutes',
      `write ${Math.max(1, Math.ceil(spec.cache.ttl / 60_000))}m, or use \`kind: varnish\` or \`kind: nginx\``,
    );
  if (spec.mode === 'forward') {
    if (spec.sticky !== 'none') say(['sticky'], BACKENDS_ARE_NAMED, 'leave out `sticky`');
    if (spec.algorithm !== 'round-robin') say(['algorithm'], BACKENDS_ARE_NAMED, 'leave out `algorithm`');
    for (const knob of ['weights', 'backendConnections', 'maxFails', 'redispatch'] as const)
      if (spec[knob] !== undefined) say([knob], BACKENDS_ARE_NAMED, `leave out \`${knob}\`, or use \`mode: reverse\``);
  } else if ((spec.backendConnections ?? 0) % spec.sourceAddresses !== 0)
    say(
      ['backendConnections'],
      `Squid counts the connections of each of the ${spec.sourceAddresses} source addresses by itself`,
      `write a multiple of ${spec.sourceAddresses}`,
    );
  return problems;
}

/** How long squid may take to listen and to have tried its peers, ms; it takes some 100. */
const START_MS = 10_000;
/** Longer than what lies between its saying so and listen(2) on a busy machine, ms. */
const LISTEN_MS = 2000;

async function start(context: NodeContext<SquidSpec>): Promise<RunningNode> {
  const { host, planned, spec, backends, sources, userConfig } = context;
  const listen = context.listen!;
  const files = filesOf(host);
  const render = (knobs: SquidSpec) =>
    userConfig === undefined
      ? { text: renderConfig(knobs, files, listen, backends, sources), reducedAttribution: undefined }
      : adaptConfig(userConfig, knobs, files, listen, backends, sources, `topology.${planned.node}.config`);
  const { text, reducedAttribution } = render(spec);
  const path = await host.writeFile('squid.conf', text);
  // Its shared memory is named after the service, and all hosts of a testbed may see the same /dev/shm.
  const service = `squid${host.name.replace(/\W/g, '')}`;
  const program = [...(await asNobodySpecial(host)), 'squid', '-n', service, '-f', path];
  // A squid that was restarted goes on in the log of the one before.
  const { length } = await host.readFile('cache.log');
  // UTC, so that the two logs' times can be compared.
  const daemon = await host.spawn([...program, '-N'], {
    label: 'squid',
    openFiles: spec.openFiles,
    env: { TZ: 'UTC' },
  });
  await ready(host, daemon, listen, peersIn(text), length);
  let changed = spec;
  const reload = async () => {
    // Squid ends where its new configuration is wrong.
    await host.run([...program, '-k', 'parse']);
    const begun = (await host.readFile('cache.log')).length;
    await daemon.signal('SIGHUP');
    await ready(host, daemon, listen, peersIn(await host.readFile('squid.conf')), begun);
  };
  return {
    processes: [daemon],
    reducedAttribution,
    // SIGTERM has it write the lines of what is under way.
    stop: () => endProcess(daemon),
    reload,
    async change(knobs) {
      changed = { ...changed, ...knobs };
      await host.writeFile('squid.conf', render(changed).text);
      await reload();
    },
  };
}

function filesOf(host: Host): SquidFiles {
  return {
    accessLog: `${host.logDir}/access.log`,
    cacheLog: `${host.logDir}/cache.log`,
    pid: `${host.runDir}/squid.pid`,
    name: host.name.replace('[', '-').replace(']', ''),
  };
}

/**
 * Squid holds every peer for DEAD until its own first connection to it has told otherwise, some ms after it began to listen
 * (peerDNSConfigure in src/neighbors.cc).
 */
async function ready(
  host: Host,
  daemon: HostProcess,
  listen: Endpoint,
  peers: Peer[],
  logStart: number,
): Promise<void> {
  await awaitReady(daemon, {
    withinMs: START_MS,
    async isReady() {
      const log = (await host.readFile('cache.log')).slice(logStart);
      const tried = peers.every(({ name, address, port }) =>
        [`${address}/${port}`, name].some((peer) => log.includes(`onnection to ${peer} `)),
      );
      return log.includes('Accepting ') && tried;
    },
    ended: async () => testbedError(`squid did not start: ${await lastWords(host)}`, host.name),
    late: async () => testbedError(`squid was not ready within ${START_MS / 1000} s`, host.name, 'see its cache.log'),
  });
  const hint = 'write `http_port {{listen}} accel` (or without accel for `mode: forward`) in your configuration';
  // It says that it accepts and calls listen(2) a moment later, in a job of its own (clientListenerConnectionOpened in src/client_side.cc).
  await awaitReady(daemon, {
    withinMs: LISTEN_MS,
    isReady: () => listensOn(host, listen),
    ended: async () => testbedError(`squid ended at its start: ${await lastWords(host)}`, host.name),
    late: async () => notListening(host, 'squid', listen, hint),
  });
}

/** Squid says what is wrong with its configuration on stderr, and what else keeps it from running in cache.log. */
async function lastWords(host: Host): Promise<string> {
  const lines = `${await host.readFile('squid.log')}\n${await host.readFile('cache.log')}`.split('\n');
  const grave = lines.filter((line) => /FATAL|ERROR|unrecognized|not found|Cannot/.test(line)).slice(-2);
  return grave.map((line) => line.replace(/^[\d/]+ [\d:.]+\| /, '')).join('; ') || 'it said nothing';
}

async function readLogs(host: Host): Promise<LogReading> {
  const [access, events, text] = await Promise.all(
    ['access.log', 'cache.log', 'squid.conf'].map((name) => host.readFile(name)),
  );
  return readSquidLogs(host.name, access, events, text);
}
