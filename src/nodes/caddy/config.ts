/** The Caddyfile of a node without a configuration of its own. */
import type { Endpoint } from '../../topology/plan.js';
import type { CaddySpec } from '../caddy.js';

/** Files of one Caddy, as its host sees them. */
export interface CaddyFiles {
  log: string;
  /** Address of its admin API, on a unix socket. */
  admin: string;
  /** Folder of certificates and locks. */
  storage: string;
}

/** Where Caddy's log comes from: of each request, each try at a backend, each failed check, and of the listener. */
const LOGGERS = ['http.log.access', 'http.log.error', 'http.handlers.reverse_proxy', 'http.stdlib'];

/** Fields that Caddy writes and nobody reads. */
const LEFT_OUT = ['resp_headers', 'headers', 'request>headers>User-Agent', 'request>headers>Accept'];

/** The global option that has everything about a request logged, to one file that is not begun anew. */
export function logOption(files: CaddyFiles): string[] {
  return [
    'log portparty {',
    `\toutput file ${files.log} {`,
    '\t\troll_disabled',
    '\t}',
    '\tformat filter {',
    '\t\twrap json',
    '\t\tfields {',
    ...LEFT_OUT.map((field) => `\t\t\t${field} delete`),
    '\t\t}',
    '\t}',
    '\tlevel DEBUG',
    `\tinclude ${LOGGERS.join(' ')}`,
    '}',
  ];
}

/** Global options that the testbed decides, for a rendered configuration and for the user's own. */
export function ownOptions(files: CaddyFiles): string[] {
  return [`admin ${files.admin}`, `storage file_system ${files.storage}`, ...logOption(files)];
}

/** Has a site log its requests; they are written by the option above, and here for nobody. */
export const SITE_LOG = ['log {', '\toutput discard', '}'];

/** How a further try, or the next request, finds its backend. */
function policy({ algorithm, sticky }: CaddySpec): string {
  if (sticky === 'cookie') return 'cookie portparty portparty';
  if (sticky !== 'none') return 'ip_hash';
  switch (algorithm) {
    case 'least-connections':
      return 'least_conn';
    case 'random-two':
      return 'random_choose 2';
    case 'hash':
      return 'ip_hash';
    case 'round-robin':
      return 'round_robin';
  }
}

/** How long a backend is held down where the scenario does not say, ms. */
const DEFAULT_FAIL_MS = 10_000;

/** What keeps requests from a backend: failures that Caddy met, and its own checks. */
function health({ maxFails = 0, failTimeout = DEFAULT_FAIL_MS, healthCheck }: CaddySpec): string[] {
  const lines: string[] = [];
  if (maxFails > 0) lines.push(`fail_duration ${failTimeout}ms`, `max_fails ${maxFails}`);
  if (healthCheck !== undefined) lines.push(`health_uri ${CHECKED_PAGE}`, `health_interval ${healthCheck.interval}ms`);
  return lines;
}

/** A page that every server here has. */
const CHECKED_PAGE = '/stats';

/** How connections to the backends are opened and kept. */
function transport({ keepalive, backendConnections, connectTimeout, responseTimeout }: CaddySpec): string[] {
  const lines = keepalive === 0 ? ['keepalive off'] : [`keepalive_idle_conns_per_host ${keepalive}`];
  if (backendConnections !== undefined) lines.push(`max_conns_per_host ${backendConnections}`);
  if (connectTimeout !== undefined) lines.push(`dial_timeout ${connectTimeout}ms`);
  if (responseTimeout !== undefined)
    lines.push(`response_header_timeout ${responseTimeout}ms`, `read_timeout ${responseTimeout}ms`);
  return ['transport http {', ...lines.map((line) => `\t${line}`), '}'];
}

/** `address:port` of all backends, as `reverse_proxy` takes them. */
export function upstreams(backends: Endpoint[]): string {
  return backends.map(({ address, port }) => `${address}:${port}`).join(' ');
}

/** Renders the configuration of one host. */
export function renderConfig(spec: CaddySpec, files: CaddyFiles, listen: Endpoint, backends: Endpoint[]): string {
  const proxying = [
    `lb_policy ${policy(spec)}`,
    ...(spec.retries === undefined ? [] : [`lb_retries ${spec.retries}`]),
    ...health(spec),
    ...transport(spec),
  ];
  const indented = (lines: string[], by = 1) => lines.map((line) => `${'\t'.repeat(by)}${line}`).join('\n');
  return `{
	auto_https off
${indented(ownOptions(files))}
}

http://:${listen.port} {
	bind ${listen.address}
${indented(SITE_LOG)}
	reverse_proxy ${upstreams(backends)} {
${indented(proxying, 2)}
	}
}
`;
}
