/** `haproxy`: a reverse proxy and load balancer with queues; terminates connections and opens its own to the backends. */
import { z } from 'zod';
import type { Host } from '../testbed/host.js';
import type { HaproxyFiles } from './haproxy/config.js';
import { CONFIG_FILE, LOG_FILE, OPEN_FILE, STATE_FILE, startHaproxy } from './haproxy/daemon.js';
import { readHaproxyLog } from './haproxy/logs.js';
import { adaptConfig } from './haproxy/user-config.js';
import { defineKind, type KnobProblem, type LogReading } from './kind.js';
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
  stickyDecides,
  weightProblems,
  weights,
  workers,
} from './knobs.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive,
  sourceAddresses,
  workers,
  algorithm,
  sticky,
  weights,
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
  reloads: true,
  // All but what needs other addresses, sockets or limits of the process.
  live: [
    'keepalive',
    'workers',
    'algorithm',
    'sticky',
    'weights',
    'maxConnections',
    'backendConnections',
    'queueTimeout',
    'queueLength',
    'retries',
    'redispatch',
    'healthCheck',
    'maxFails',
    'rateLimit',
    'connectTimeout',
    'responseTimeout',
  ],
  start: startHaproxy,
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
  const problems = weightProblems(spec);
  if (spec.sticky === 'consistent-hash' && !['round-robin', 'hash'].includes(spec.algorithm))
    problems.push(stickyDecides(spec));
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

async function readLogs(host: Host): Promise<LogReading> {
  const files = [LOG_FILE, CONFIG_FILE, STATE_FILE, OPEN_FILE];
  const [log, text, state, open] = await Promise.all(files.map((file) => host.readFile(file)));
  return readHaproxyLog(host.name, { log, config: text, state, open });
}
