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
pid "${files.pid}";
error_log "${files.errorLog}" warn;
`;
}

/** Name of the log format in which the access log is written. */
const LOG_FORMAT = 'portparty';

/** The directive that writes the access log. */
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

/** `server` lines of an upstream block. */
export function serverLines(spec: Pick<NginxSpec, 'maxFails' | 'failTimeout'>, backends: Endpoint[]): string {
  return backends
    .map(
      ({ address, port }) =>
        `    server ${address}:${port} max_fails=${spec.maxFails} fail_timeout=${spec.failTimeout / 1000}s;`,
    )
    .join('\n');
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

/** Renders the configuration of one host. */
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
  upstream backends {
${lines(
  balancing(spec) && `    ${balancing(spec)}`,
  serverLines(spec, backends),
  reuse ? `    keepalive ${spec.keepalive};` : '',
)}
  }

  server {
    listen ${listen.address}:${listen.port}${backlog};
    location / {
${lines(
  '      proxy_pass http://backends;',
  reuse ? '      proxy_http_version 1.1;\n      proxy_set_header Connection "";' : '',
  '      proxy_set_header Host $host;',
  sources.length > 1 ? '      proxy_bind $portparty_source;' : '',
)}
    }
  }
}
`;
}
