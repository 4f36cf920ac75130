/** The nginx.conf of a node without a configuration of its own. */
import type { Endpoint } from '../../topology/plan.js';
import type { NginxSpec } from '../nginx.js';
import { sourceMaps } from './source-addresses.js';

/** Files of one nginx, as its host sees them. */
export interface NginxFiles {
  /** Folder of temporary files and the pid file; ends without a slash. */
  runDir: string;
  accessLog: string;
  errorLog: string;
  pid: string;
}

/** Main-level directives that the testbed decides, for a rendered configuration and for the user's own. */
export function mainDirectives(files: NginxFiles): string {
  // The user must be root: an ordinary user's namespace knows no other id.
  return `daemon off;
user root;
${fileDirectives(files)}`;
}

/** Main-level directives that place nginx's files. */
export function fileDirectives(files: NginxFiles): string {
  return `pid "${files.pid}";
error_log "${files.errorLog}" warn;
`;
}

/** Name of the log format in which the access log is written. */
const LOG_FORMAT = 'portparty';

/** The `access_log` directive, in the format that `logs.ts` reads. */
export function accessLogDirective(files: NginxFiles): string {
  return `access_log "${files.accessLog}" ${LOG_FORMAT};`;
}

/** One JSON object per request; variables are those of ngx_http_core_module and ngx_http_upstream_module. */
const FIELDS: [name: string, value: string][] = [
  ['id', '"$http_x_request_id"'],
  ['at', '$msec'],
  ['took', '$request_time'],
  ['status', '$status'],
  ['connection', '$connection'],
  ['peer', '"$remote_addr:$remote_port"'],
  ['request', '"$request"'],
  ['upstream', '"$upstream_addr"'],
  ['upstreamStatus', '"$upstream_status"'],
  ['connectTime', '"$upstream_connect_time"'],
  ['headerTime', '"$upstream_header_time"'],
  ['responseTime', '"$upstream_response_time"'],
];

/** Directives of the `http` block that the testbed decides: its log, and temporary files away from the machine's own. */
export function httpDirectives(files: NginxFiles): string {
  const format = FIELDS.map(([name, value]) => `"${name}":${value}`).join(',');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `  log_format ${LOG_FORMAT} escape=json '{${format}}';
  ${accessLogDirective(files)}
${temporary.map((name) => `  ${name}_temp_path "${files.runDir}/${name}";`).join('\n')}
`;
}

/** `server` lines of an upstream block. A backend whose weight is 0 is `down`: nginx knows no such weight. */
export function serverLines(
  spec: Pick<NginxSpec, 'maxFails' | 'failTimeout' | 'backendConnections' | 'weights'>,
  backends: Endpoint[],
): string {
  const { maxFails, failTimeout, backendConnections: most, weights } = spec;
  const limits = `max_fails=${maxFails} fail_timeout=${failTimeout / 1000}s${most === undefined ? '' : ` max_conns=${most}`}`;
  const share = (weight: number | undefined) =>
    weight === undefined ? '' : weight === 0 ? ' down' : ` weight=${weight}`;
  return backends
    .map(({ address, port }, index) => `    server ${address}:${port} ${limits}${share(weights?.[index])};`)
    .join('\n');
}

/** A rate per second as `limit_req_zone` has it; undefined for one that it cannot say. */
export function nginxRate(perSecond: number): string | undefined {
  if (Number.isInteger(perSecond)) return `${perSecond}r/s`;
  const perMinute = Math.round(perSecond * 60 * 1e6) / 1e6;
  return Number.isInteger(perMinute) ? `${perMinute}r/m` : undefined;
}

/** Shared memory in which the limits of clients are counted, for all workers together. */
function limitZones(spec: NginxSpec): string {
  const zones: string[] = [];
  if (spec.maxConnections !== undefined) zones.push('  limit_conn_zone $server_port zone=portparty_connections:1m;');
  if (spec.rateLimit !== undefined)
    zones.push(`  limit_req_zone $binary_remote_addr zone=portparty_rate:10m rate=${nginxRate(spec.rateLimit.rate)};`);
  return zones.join('\n');
}

/** The limits of clients. Without `nodelay` nginx would hold back what comes early instead of refusing it. */
function limits(spec: NginxSpec): string[] {
  const lines: string[] = [];
  if (spec.maxConnections !== undefined) lines.push(`limit_conn portparty_connections ${spec.maxConnections};`);
  if (spec.rateLimit !== undefined) {
    const { burst } = spec.rateLimit;
    lines.push(`limit_req zone=portparty_rate${burst > 0 ? ` burst=${burst}` : ''} nodelay;`, 'limit_req_status 429;');
  }
  return lines;
}

/** How a location reaches the backends. */
function proxying(spec: NginxSpec, sources: string[]): string[] {
  const lines = ['proxy_pass http://backends;'];
  if (spec.keepalive > 0) lines.push('proxy_http_version 1.1;', 'proxy_set_header Connection "";');
  lines.push('proxy_set_header Host $host;');
  if (sources.length > 1) lines.push('proxy_bind $portparty_source;');
  if (spec.retries !== undefined) lines.push(`proxy_next_upstream_tries ${spec.retries + 1};`);
  if (spec.connectTimeout !== undefined) lines.push(`proxy_connect_timeout ${spec.connectTimeout}ms;`);
  if (spec.responseTimeout !== undefined)
    lines.push(`proxy_send_timeout ${spec.responseTimeout}ms;`, `proxy_read_timeout ${spec.responseTimeout}ms;`);
  return lines;
}

/** One page for all: what the backend says about keeping it, and the cookies of the visitor whose request brought it, are left out. */
function caching({ ttl, coalesce }: NonNullable<NginxSpec['cache']>): string[] {
  return [
    'proxy_cache portparty;',
    'proxy_cache_key $uri$is_args$args;',
    `proxy_cache_valid 200 301 302 404 ${ttl / 1000}s;`,
    `proxy_cache_lock ${coalesce ? 'on' : 'off'};`,
    'proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires;',
    'proxy_hide_header Set-Cookie;',
  ];
}

/** `location` blocks: what is cached, and everything else. */
function locations(spec: NginxSpec, sources: string[]): string {
  const { cache } = spec;
  const paths = new Set(['/', ...(cache?.paths ?? [])]);
  const blocks = [...paths].map((path) => {
    const lines = [...proxying(spec, sources), ...(cache?.paths.includes(path) ? caching(cache) : [])];
    return `    location ${path} {\n${lines.map((line) => `      ${line}`).join('\n')}\n    }`;
  });
  return blocks.join('\n');
}

/** Directive of the upstream block that picks the backend; nginx takes turns when there is none. */
function balancing(spec: NginxSpec): string {
  if (spec.sticky === 'source') return 'ip_hash;';
  if (spec.sticky === 'consistent-hash') return 'hash $remote_addr consistent;';
  switch (spec.algorithm) {
    case 'least-connections':
      return 'least_conn;';
    case 'random-two':
      return 'random two least_conn;';
    case 'hash':
      return 'hash $remote_addr consistent;';
    case 'round-robin':
      return '';
  }
}

/** The text of nginx.conf for one host; `sources` are the addresses that it opens its connections from. */
export function renderConfig(
  spec: NginxSpec,
  files: NginxFiles,
  listen: Endpoint,
  backends: Endpoint[],
  sources: string[],
): string {
  const backlog = spec.backlog === undefined ? '' : ` backlog=${spec.backlog}`;
  const reuse = spec.keepalive > 0;
  const lines = (...text: string[]) => text.filter((line) => line.trim() !== '').join('\n');
  return `${mainDirectives(files)}worker_processes ${spec.workers};
${spec.openFiles === undefined ? '' : `worker_rlimit_nofile ${spec.openFiles};\n`}
events {
  worker_connections ${spec.workerConnections};
}

http {
${httpDirectives(files)}
  # The testbed's clients decide when their connections end.
  keepalive_timeout 75s;
  keepalive_requests 1000000;
${sources.length > 1 ? sourceMaps(sources) : ''}
${lines(
  limitZones(spec),
  spec.cache ? `  proxy_cache_path "${files.runDir}/cache" keys_zone=portparty:8m use_temp_path=off;` : '',
)}
  upstream backends {
${lines(
  // Counted for all workers together only in shared memory.
  spec.backendConnections !== undefined && spec.workers > 1 ? '    zone backends 256k;' : '',
  balancing(spec) && `    ${balancing(spec)}`,
  serverLines(spec, backends),
  reuse ? `    keepalive ${spec.keepalive};` : '',
)}
  }

  server {
    listen ${listen.address}:${listen.port}${backlog};
${lines(...limits(spec).map((line) => `    ${line}`), locations(spec, sources))}
  }
}
`;
}
