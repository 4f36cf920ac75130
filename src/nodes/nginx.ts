/** `nginx`: a reverse proxy; terminates connections and opens its own to the backends. */
import { z } from 'zod';
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import { endsWithin } from './end-process.js';
import { defineKind, type KnobProblem, type LogReading, type NodeContext, type RunningNode } from './kind.js';
import {
  algorithm,
  backendConnections,
  backlog,
  cache,
  commonKnobs,
  config,
  connectTimeout,
  count,
  failTimeout,
  keepalive,
  maxConnections,
  maxFails,
  rateLimit,
  responseTimeout,
  retries,
  sourceAddresses,
  sticky,
  stickyDecides,
  weightProblems,
  weights,
  wholeSeconds,
  workers,
} from './knobs.js';
import { type NginxFiles, nginxRate, renderConfig } from './nginx/config.js';
import { readNginxLogs } from './nginx/logs.js';
import { adaptConfig } from './nginx/user-config.js';
import { awaitReady, mustListen } from './ready.js';

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  keepalive,
  sourceAddresses,
  workers,
  /** Connections per worker, clients' and backends' together. */
  workerConnections: count(4, 1_000_000).default(16_384),
  maxConnections,
  backendConnections,
  retries,
  maxFails: maxFails.default(1),
  failTimeout: failTimeout.default(10_000),
  algorithm,
  sticky,
  weights,
  rateLimit,
  connectTimeout,
  responseTimeout,
  cache,
  backlog,
  config,
});

/** The knobs of an nginx node, resolved. */
export type NginxSpec = z.output<typeof knobs>;

/** The kind `nginx`: the product itself, with a rendered nginx.conf (`nginx/config.ts`) or the user's own (`nginx/user-config.ts`). */
export const nginx = defineKind({
  kind: 'nginx',
  layer: 'L7',
  summary: 'NGINX as a reverse proxy and load balancer.',
  commands: { nginx: 'nginx-light' },
  image: 'nginx',
  version: { name: 'nginx', argv: ['nginx', '-v'] },
  knobs,
  lacks: {
    queueTimeout:
      'NGINX Open Source has no queue for its backends; use `kind: haproxy`, or `workerConnections` to let visitors wait in the accept queue',
    queueLength: 'NGINX Open Source has no queue for its backends; use `kind: haproxy`',
    redispatch: 'nginx always tries the next backend; `maxFails` and `failTimeout` say when it leaves one out',
    healthCheck: 'NGINX Open Source does not probe its backends; use `maxFails` and `failTimeout`, or `kind: haproxy`',
  },
  refuse,
  // NGX_LISTEN_BACKLOG on Linux (src/os/unix/ngx_linux_config.h).
  defaultBacklog: 511,
  reloads: true,
  live: ['keepalive', 'algorithm', 'sticky', 'weights', 'maxFails', 'failTimeout', 'workerConnections', 'workers'],
  start,
  imageConfig({ host, spec, listen, backends, userConfig }) {
    const adapted = adaptConfig(userConfig!, spec, filesOf(host), listen!, backends, 'image');
    return { paths: ['/etc/nginx/nginx.conf'], ...adapted };
  },
  readLogs,
});

/** What NGINX Open Source cannot do of these values. */
function refuse(spec: NginxSpec): KnobProblem[] {
  const problems = weightProblems(spec);
  if (spec.sticky === 'cookie')
    problems.push({
      path: ['sticky'],
      message: 'NGINX Open Source has no sticky cookies (only NGINX Plus has)',
      hint: 'use `sticky: source`, or `kind: haproxy`',
    });
  else if (spec.sticky !== 'none' && spec.algorithm !== 'round-robin') problems.push(stickyDecides(spec));
  if (spec.failTimeout % 1000 !== 0)
    problems.push({
      path: ['failTimeout'],
      message: 'nginx counts `fail_timeout` in whole seconds',
      hint: `write ${Math.ceil(spec.failTimeout / 1000)}s`,
    });
  const ttl = wholeSeconds(spec.cache?.ttl);
  if (ttl !== undefined)
    problems.push({
      path: ['cache', 'ttl'],
      message: 'nginx keeps an answer for whole seconds (`proxy_cache_valid`)',
      hint: ttl,
    });
  if (spec.rateLimit !== undefined && nginxRate(spec.rateLimit.rate) === undefined)
    problems.push({
      path: ['rateLimit', 'rate'],
      message: 'nginx counts rates in whole requests per second or per minute (`limit_req_zone`)',
      hint: `write ${Math.max(1, Math.round(spec.rateLimit.rate * 60))}/m`,
    });
  return problems;
}

function filesOf(host: Host): NginxFiles {
  return {
    runDir: host.runDir,
    accessLog: `${host.logDir}/access.log`,
    errorLog: `${host.logDir}/error.log`,
    pid: `${host.runDir}/nginx.pid`,
  };
}

/** How long nginx may take to listen, ms; it takes some 20. */
const START_MS = 10_000;

async function start(context: NodeContext<NginxSpec>): Promise<RunningNode> {
  const { host, spec, backends, sources, userConfig } = context;
  const listen = context.listen!;
  const files = filesOf(host);
  const render = (knobs: NginxSpec) =>
    userConfig === undefined
      ? { text: renderConfig(knobs, files, listen, backends, sources), reducedAttribution: undefined }
      : adaptConfig(userConfig, knobs, files, listen, backends);
  const { text, reducedAttribution } = render(spec);
  const [path, errorLog] = await Promise.all([
    host.writeFile('nginx.conf', text),
    earlyErrorLog(host, files),
    // Of one that was killed before the file is still there.
    host.writeFile(files.pid, ''),
  ]);
  // The prefix stays the machine's own, where the modules of a user's configuration lie; every path of ours is absolute.
  const argv = ['nginx', '-c', path, ...errorLog];
  // UTC, so that the error log's times can be compared with the access log's.
  const daemon = await host.spawn(argv, { label: 'nginx', openFiles: spec.openFiles, env: { TZ: 'UTC' } });
  await ready(host, daemon, files);
  // Our own configuration listens there.
  if (userConfig !== undefined)
    await mustListen(host, 'nginx', listen, 'write `listen {{listen}};` in the server block of your configuration');
  const reload = async () => {
    // nginx keeps its old configuration where the new one is wrong, and says so only in its log.
    await host.run([...argv, '-t', '-q']);
    await signalMaster(host, files, 'HUP');
  };
  let changed = spec;
  return {
    processes: [daemon],
    reducedAttribution,
    stop: () => stop(host, daemon, files),
    reload,
    async change(knobs) {
      changed = { ...changed, ...knobs };
      await host.writeFile('nginx.conf', render(changed).text);
      await reload();
    },
  };
}

async function signalMaster(host: Host, files: NginxFiles, signal: 'HUP' | 'QUIT'): Promise<void> {
  await host.run(['sh', '-c', `kill -${signal} "$(cat "$1")" 2>/dev/null || :`, 'sh', files.pid]);
}

/** `-e` (nginx 1.19.5) keeps messages from before the configuration is read out of the machine's own log. */
async function earlyErrorLog(host: Host, files: NginxFiles): Promise<string[]> {
  const { stderr } = await host.run(['nginx', '-v']);
  const [major, minor, patch] = (/(\d+)\.(\d+)\.(\d+)/.exec(stderr) ?? []).slice(1).map(Number);
  const old = major < 1 || (major === 1 && (minor < 19 || (minor === 19 && patch < 5)));
  return old ? [] : ['-e', files.errorLog];
}

/** nginx writes its pid file once it listens; no connection is made, which its log would show. */
function ready(host: Host, daemon: HostProcess, files: NginxFiles): Promise<void> {
  return awaitReady(daemon, {
    withinMs: START_MS,
    isReady: async () => (await host.readFile(files.pid)).trim() !== '',
    ended: async () => testbedError(`nginx did not start: ${await lastWords(host)}`, host.name),
    late: async () => testbedError(`nginx did not listen within ${START_MS / 1000} s`, host.name),
  });
}

/** nginx says on stderr what is wrong with its configuration. */
async function lastWords(host: Host): Promise<string> {
  const words = (await host.readFile('nginx.log')).trim() || (await host.readFile('error.log')).trim();
  const grave = words.split('\n').filter((line) => line.includes('[emerg]'));
  return grave.at(0)?.replace(/^nginx: /, '') ?? (words || 'it said nothing');
}

/** How long requests under way may take to be logged before they are cut off, ms. */
const QUIT_MS = 500;

/** SIGQUIT first: nginx then ends its open requests and logs them. */
async function stop(host: Host, daemon: HostProcess, files: NginxFiles): Promise<void> {
  if (!daemon.running) return;
  await signalMaster(host, files, 'QUIT');
  if (await endsWithin(daemon, QUIT_MS)) return;
  await daemon.signal('SIGTERM');
  await daemon.exited;
}

async function readLogs(host: Host): Promise<LogReading> {
  const files = ['access.log', 'error.log', 'nginx.conf'].map((file) => host.readFile(file));
  const [access, errors, configuration] = await Promise.all(files);
  return readNginxLogs(host.name, access, errors, configuration);
}
