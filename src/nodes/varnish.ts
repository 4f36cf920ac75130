/** `varnish`: a cache in front of servers; one visitor's request fills it for all that ask for the same page. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  backendConnections,
  backlog,
  cache,
  commonKnobs,
  config,
  connectTimeout,
  failTimeout,
  healthCheck,
  maxFails,
  redispatch,
  responseTimeout,
  retries,
  sticky,
  stickyDecides,
  uncountedKeepalive,
  weightProblems,
  weights,
} from './knobs.js';
import { awaitReady, listensOn } from './ready.js';
import { LOG_FILE, startLogging } from './varnish/logging.js';
import { readVarnishLog } from './varnish/logs.js';
import { adaptVcl } from './varnish/user-vcl.js';
import { directorOf, renderVcl } from './varnish/vcl.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive: uncountedKeepalive,
  /** The shared ones, and two of its own: one backend at random, and the first one that is healthy. */
  algorithm: z
    .enum(['round-robin', 'least-connections', 'random-two', 'hash', 'random', 'fallback'])
    .default('round-robin'),
  sticky,
  weights,
  backendConnections,
  retries,
  redispatch,
  healthCheck,
  maxFails,
  failTimeout,
  connectTimeout,
  responseTimeout,
  cache,
  backlog,
  config,
});

/** The knobs of a varnish node, resolved. */
export type VarnishSpec = z.output<typeof knobs>;

/** The kind `varnish`: the product itself, with a rendered VCL (`varnish/vcl.ts`) or the user's own; varnishlog(1) runs beside it. */
export const varnish = defineKind({
  kind: 'varnish',
  layer: 'L7',
  summary: 'Varnish as a cache in front of servers, with directors, health checks and request coalescing.',
  // It compiles its VCL when it starts.
  commands: { varnishd: 'varnish', gcc: 'gcc' },
  image: 'varnish',
  version: { name: 'varnish', argv: ['varnishd', '-V'] },
  knobs,
  lacks: {
    sourceAddresses:
      'Varnish opens its connections from the address that the route gives it; use `hosts: n`, or `kind: nginx` or `kind: haproxy`',
    maxConnections: 'Varnish has no limit of client connections; use `backendConnections`, or `kind: haproxy`',
    workerConnections: 'Varnish counts no connections of its own; use `backendConnections`',
    queueTimeout: 'Varnish 7.1 has no queue for its backends; use `kind: haproxy`',
    queueLength: 'Varnish 7.1 has no queue for its backends; use `kind: haproxy`',
    rateLimit: 'Varnish limits rates by a module of its own package only; use `kind: nginx` or `kind: haproxy`',
    workers: 'Varnish is one process that starts threads as it needs them; leave out `workers`, or use `hosts: n`',
  },
  refuse,
  // `listen_depth` (include/tbl/params.h).
  defaultBacklog: 1024,
  reloads: true,
  live: [
    'keepalive',
    'algorithm',
    'sticky',
    'weights',
    'backendConnections',
    'retries',
    'redispatch',
    'healthCheck',
    'maxFails',
    'failTimeout',
    'connectTimeout',
    'responseTimeout',
    'cache',
  ],
  start,
  imageConfig({ spec, backends, userConfig }) {
    const { text } = adaptVcl(userConfig!, spec, backends);
    const reducedAttribution = 'varnish keeps its log in its own memory, which is not read in an image of your own';
    return { paths: ['/etc/varnish/default.vcl'], text, reducedAttribution };
  },
  readLogs,
});

/** Checks that varnish remembers of a backend. */
const LARGEST_WINDOW = 64;

/** What Varnish cannot do of these values. */
function refuse(spec: VarnishSpec): KnobProblem[] {
  const problems = weightProblems(spec);
  const say = (path: KnobProblem['path'], message: string, hint: string) => problems.push({ path, message, hint });
  if (spec.sticky === 'cookie')
    say(
      ['sticky'],
      'Varnish sets no cookies of its own',
      'use `sticky: source` or `consistent-hash`, or `kind: haproxy`',
    );
  else if (spec.sticky !== 'none' && spec.algorithm !== 'round-robin') problems.push(stickyDecides(spec));
  if (spec.algorithm === 'least-connections' || spec.algorithm === 'random-two')
    say(
      ['algorithm'],
      `Varnish does not compare its backends' loads, so it has no \`algorithm: ${spec.algorithm}\``,
      'use round-robin, random, hash or fallback, or `kind: nginx` or `kind: haproxy`',
    );
  if (spec.weights !== undefined && spec.config === undefined) {
    const director = directorOf(spec);
    if (director === 'round_robin')
      say(['weights'], 'the turns that Varnish takes have no weights', 'add `algorithm: random`, or use `kind: nginx`');
    if (director === 'fallback')
      say(
        ['weights'],
        '`algorithm: fallback` takes the first healthy backend, whatever its weight',
        'use `algorithm: random`, or leave out `weights`',
      );
    if (director === 'shard' && spec.weights.includes(0))
      say(
        ['weights'],
        'the consistent hash of Varnish has no weight of 0',
        'write at least 1, or use `algorithm: random` or `sticky: source`',
      );
  }
  if ((spec.maxFails ?? 1) > 1)
    say(
      ['maxFails'],
      'Varnish holds a backend down after the first connection that fails',
      'write 1, or 0 for never; or use `healthCheck: { fall: n }`',
    );
  if (spec.redispatch !== undefined && (spec.retries ?? 0) === 0)
    say(['redispatch'], 'without further tries `redispatch` would have no effect', 'add `retries: 1`');
  if (spec.healthCheck !== undefined && spec.healthCheck.fall + spec.healthCheck.rise - 1 > LARGEST_WINDOW)
    say(
      ['healthCheck'],
      `Varnish remembers ${LARGEST_WINDOW} checks of a backend`,
      `let \`fall\` and \`rise\` make no more than ${LARGEST_WINDOW + 1} together`,
    );
  for (const knob of ['connectTimeout', 'responseTimeout'] as const)
    if (spec[knob] === 0) say([knob], 'a time-out of no time would refuse everything', 'write it like 3s');
  return problems;
}

/** Where its command line listens: below all ports that connections are opened from, on loopback only. */
const CONTROL = '127.0.0.1:1023';

/** Further tries that varnish allows unless told otherwise. */
const DEFAULT_MAX_RETRIES = 4;

/** Run-time parameters that may be changed while it runs. */
function liveParameters({ maxFails, failTimeout, retries = 0 }: VarnishSpec): [name: string, value: string][] {
  const holdMs = maxFails === 0 ? 0 : failTimeout;
  const hold = holdMs === undefined ? undefined : String(holdMs / 1000);
  return [
    ...(hold === undefined
      ? []
      : ['local', 'remote'].map((of): [string, string] => [`backend_${of}_error_holddown`, hold])),
    ...(retries > DEFAULT_MAX_RETRIES ? [['max_retries', String(retries)] as [string, string]] : []),
  ];
}

/** Run-time parameters as arguments: `-p name=value`. */
export function parameters(spec: VarnishSpec): string[] {
  const backlog: [string, string][] = spec.backlog === undefined ? [] : [['listen_depth', String(spec.backlog)]];
  return [...backlog, ...liveParameters(spec)].flatMap(([name, value]) => ['-p', `${name}=${value}`]);
}

/** How long varnish may take to compile its VCL and listen, ms; it takes some 600. */
const START_MS = 20_000;

async function start(context: NodeContext<VarnishSpec>): Promise<RunningNode> {
  const { host, spec, backends, userConfig } = context;
  const listen = context.listen!;
  const render = (knobs: VarnishSpec) =>
    userConfig === undefined
      ? { text: renderVcl(knobs, backends), reducedAttribution: undefined }
      : adaptVcl(userConfig, knobs, backends);
  const { text, reducedAttribution } = render(spec);
  const path = await host.writeFile('default.vcl', text);
  const folder = `${host.runDir}/varnish`;
  const argv = ['varnishd', '-F', '-j', 'none', '-n', folder, '-f', path];
  const address = ['-a', `${listen.address}:${listen.port}`, '-T', CONTROL, '-i', host.name, '-s', 'malloc,256m'];
  const daemon = await host.spawn([...argv, ...address, ...parameters(spec)], {
    label: 'varnishd',
    openFiles: spec.openFiles,
  });
  await ready(host, daemon, listen);
  const log = await startLogging(host, folder);
  const tell = (...command: string[]) => host.run(['varnishadm', '-n', folder, ...command]);
  let loaded = 0;
  const reload = async () => {
    const name = `reload${++loaded}`;
    await tell('vcl.load', name, path);
    await tell('vcl.use', name);
  };
  let changed = spec;
  return {
    processes: [daemon, log.process],
    // Whatever happens to varnish, what it has logged is kept.
    exposed: [daemon],
    reducedAttribution,
    reload,
    async change(knobs) {
      changed = { ...changed, ...knobs };
      await host.writeFile('default.vcl', render(changed).text);
      await reload();
      for (const [parameter, value] of liveParameters(changed)) await tell('param.set', parameter, value);
    },
    async stop() {
      if (daemon.running) await log.finish(listen);
      for (const process of [log.process, daemon]) {
        if (!process.running) continue;
        await process.signal('SIGTERM');
        await process.exited;
      }
    },
  };
}

/** The manager binds the address at once; the child listens there when it takes work. */
function ready(host: Host, daemon: HostProcess, listen: Endpoint): Promise<void> {
  return awaitReady(daemon, {
    withinMs: START_MS,
    isReady: () => listensOn(host, listen),
    async ended() {
      const words = await lastWords(host);
      const hint = words.includes('C-compiler') ? 'varnish compiles its VCL: install gcc and libc6-dev' : undefined;
      return testbedError(`varnish did not start: ${words}`, host.name, hint);
    },
    late: async () =>
      testbedError(`varnish did not listen within ${START_MS / 1000} s: ${await lastWords(host)}`, host.name),
  });
}

/** Varnish tells of a mistake in the VCL over several lines: what, where, and the text with the place marked. */
async function lastWords(host: Host): Promise<string> {
  const words = (await host.readFile('varnishd.log')).trim();
  const lines = words.split('\n');
  const compiler = lines.findIndex((line) => /Message from (?:VCC|C)-compiler/.test(line));
  const told = compiler < 0 ? lines.filter((line) => /^Error/.test(line)) : lines.slice(compiler, compiler + 4);
  return told.map((line) => line.trim()).join(' ') || words.slice(-500) || 'it said nothing';
}

async function readLogs(host: Host): Promise<LogReading> {
  const [log, vcl] = await Promise.all([host.readFile(LOG_FILE), host.readFile('default.vcl')]);
  return { sightings: readVarnishLog(host.name, log, vcl), incidents: [] };
}
