/** `redis`: a store behind the ticket shop, so that the shop opens connections of its own. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import { duration } from '../scenario/units.js';
import { SALES_KEY } from '../servers/sale-script.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { endProcess } from './end-process.js';
import { defineKind, type KnobProblem, type NodeContext, type RunningNode } from './kind.js';
import { backlog, commonKnobs, maxConnections } from './knobs.js';
import { awaitReady, listensOn } from './ready.js';
import { listenOf } from './server-daemon.js';

const knobs = z.strictObject({
  ...commonKnobs,
  backlog,
  maxConnections,
  /** How long it keeps an idle connection, ms, in whole seconds; absent: for ever (Redis' `timeout`). */
  keepaliveTimeout: duration.optional(),
});

/** The knobs of a redis node, resolved. */
export type RedisSpec = z.output<typeof knobs>;

/** The kind `redis`: the product itself, with a rendered redis.conf. */
export const redis = defineKind({
  kind: 'redis',
  layer: 'server',
  summary: 'Redis, the store behind a ticket shop that has `inventory: redis`; nothing is kept on disk.',
  commands: { 'redis-server': 'redis-server', 'redis-cli': 'redis-tools' },
  image: 'redis',
  version: { name: 'redis', argv: ['redis-server', '--version'] },
  knobs,
  refuse,
  // `tcp-backlog` (src/config.c).
  defaultBacklog: 511,
  start,
});

function refuse({ hosts, keepaliveTimeout }: RedisSpec): KnobProblem[] {
  const problems: KnobProblem[] = [];
  if (hosts > 1)
    problems.push({
      path: ['hosts'],
      message: 'each host would be a store of its own, and the sale has one stock',
      hint: 'leave out `hosts`',
    });
  if (keepaliveTimeout !== undefined && (keepaliveTimeout === 0 || keepaliveTimeout % 1000 !== 0))
    problems.push({
      path: ['keepaliveTimeout'],
      message: 'Redis counts this time in whole seconds, from one on',
      hint: 'write it like 5s, or leave it out',
    });
  return problems;
}

const CONFIG_FILE = 'redis.conf';
/** In the daemon's working folder: from here the sale's numbers are read without any packet. */
const SOCKET = 'redis.sock';
/** What `HGETALL` said of the sales when the store was ended, in its host's log folder. */
const SALES_FILE = 'sales.txt';
const LABEL = 'redis-server';

/** The text of redis.conf: for everybody on the network, and nothing kept on disk. */
function renderRedisConfig(spec: RedisSpec, listen: Endpoint, folder: string): string {
  const lines = [
    `dir ${folder}`,
    `bind ${listen.address}`,
    `port ${listen.port}`,
    `unixsocket ${SOCKET}`,
    // The shop is another host and has no password.
    'protected-mode no',
    'daemonize no',
    'databases 1',
    'save ""',
    'appendonly no',
    // Its own look at idle connections would be the only traffic that no visitor causes.
    'tcp-keepalive 0',
    ...(spec.backlog === undefined ? [] : [`tcp-backlog ${spec.backlog}`]),
    ...(spec.maxConnections === undefined ? [] : [`maxclients ${spec.maxConnections}`]),
    ...(spec.keepaliveTimeout === undefined ? [] : [`timeout ${spec.keepaliveTimeout / 1000}`]),
  ];
  return `${lines.join('\n')}\n`;
}

async function start({ host, spec, listen }: NodeContext<RedisSpec>): Promise<RunningNode> {
  const endpoint = listenOf(host, listen);
  const path = await host.writeFile(CONFIG_FILE, renderRedisConfig(spec, endpoint, host.runDir));
  // One that starts again has forgotten the sale, and must not be taken by the numbers of its life before.
  await host.writeFile(SALES_FILE, '');
  const daemon = await host.spawn(['redis-server', path], { label: LABEL, openFiles: spec.openFiles });
  await ready(host, daemon, endpoint);
  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    if (!daemon.running) return;
    // A daemon that has stopped answering must not keep the run from its end.
    const ask = `cd "$1" && timeout 5 redis-cli -s ${SOCKET} --no-raw HGETALL ${SALES_KEY} > "$2/${SALES_FILE}.new" && mv "$2/${SALES_FILE}.new" "$2/${SALES_FILE}" || :`;
    await host.run(['sh', '-c', ask, 'sh', host.runDir, host.logDir]);
    await endProcess(daemon);
  }
  return {
    processes: [daemon],
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

const READY_WITHIN_MS = 10_000;
const TAIL_LINES = 5;

function ready(host: Host, daemon: HostProcess, listen: Endpoint): Promise<void> {
  const words = async () => (await host.readFile(`${LABEL}.log`)).trim().split('\n').slice(-TAIL_LINES).join('\n');
  return awaitReady(daemon, {
    withinMs: READY_WITHIN_MS,
    isReady: () => listensOn(host, listen),
    ended: async () => testbedError(`redis ended at its start: ${await words()}`, host.name),
    late: async () =>
      testbedError(`redis does not listen after ${READY_WITHIN_MS / 1000} s: ${await words()}`, host.name),
  });
}

/** How many tickets a shop has sold from this store; undefined when the store ended before it could be asked. */
export async function readSales(host: Host, shop: string): Promise<number | undefined> {
  const text = await host.readFile(SALES_FILE);
  if (text === '') return undefined;
  return parseSales(text).get(`${shop}:sold`) ?? 0;
}

/** The numbers of `redis-cli --no-raw HGETALL`: ` 1) "shop:sold"` and ` 2) "17"` in turn; `(empty array)` for none. */
export function parseSales(text: string): Map<string, number> {
  const words = [...text.matchAll(/^\s*\d+\) "(.*)"$/gm)].map(([, word]) => word);
  return new Map(
    words.flatMap((word, index): [string, number][] => (index % 2 === 0 ? [[word, Number(words[index + 1])]] : [])),
  );
}
