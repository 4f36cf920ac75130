/** The haproxy.cfg of a node without a configuration of its own. */
import type { Endpoint } from '../../topology/plan.js';
import type { HaproxySpec } from '../haproxy.js';
import { RING_BYTES } from './ring.js';

/** Files of one haproxy, as its host sees them. */
export interface HaproxyFiles {
  /** Unix socket of the Runtime API. */
  socket: string;
  /** The ring buffer that the log is written to; undefined: stdout, which may drop lines where several threads write. */
  ring: string | undefined;
}

/** Name of the one backend of a rendered configuration. */
const BACKEND = 'backends';

/** Variables of a request that the log line shows: its id, and which limit of a rendered configuration refused it. */
const ID = 'txn.portparty_id';
const LIMIT = 'txn.portparty_limit';

/** What `LIMIT` says. */
export const LIMITS = { rate: 'rateLimit', queue: 'queueLength' } as const;

/**
 * One JSON object per request (variables: configuration manual 8.2.4, fetches: 7.3). What can be `-` is text; the numbers are
 * milliseconds, -1 for what was not reached. Numbers 1 to 3 and 7 to 10 of `error` are told in the table of `fc_err_str`.
 */
const FIELDS: [name: string, value: string][] = [
  ['id', `"%[var(${ID}),json(utf8s)]"`],
  ['accept', '"%Ts.%ms"'],
  ['handshake', '%Th'],
  ['idle', '%Ti'],
  ['active', '%Ta'],
  ['queue', '%Tw'],
  ['connect', '%Tc'],
  ['response', '%Tr'],
  ['status', '%ST'],
  ['state', '"%tsc"'],
  ['peer', '"%ci:%cp"'],
  ['server', '"%b/%s"'],
  ['to', '"%si:%sp"'],
  ['from', '"%bi:%bp"'],
  ['retries', '"%rc"'],
  ['error', '"%[bc_err]"'],
  ['errorText', '"%[bc_err_str]"'],
  ['limit', `"%[var(${LIMIT})]"`],
  ['queues', '"%sq/%bq"'],
  ['connections', '"%ac/%fc"'],
  ['frontend', '"%f"'],
  ['request', '"%[capture.req.method,json(utf8s)] %[capture.req.uri,json(utf8s)]"'],
];

const RING = 'portparty';
/** The longest line: a request's head is no longer. */
const LINE_BYTES = 16_384;

/** Lines of the `global` section that the testbed decides, for a rendered configuration and for the user's own. */
export function globalLines(files: HaproxyFiles): string[] {
  return [
    // RFC 5424 is the one format whose times have microseconds.
    `log ${files.ring === undefined ? 'stdout' : `ring@${RING}`} len ${LINE_BYTES} format rfc5424 daemon`,
    `stats socket "${files.socket}" mode 600 level admin`,
  ];
}

/** The section that the testbed adds for its log; '' where that goes to stdout. */
export function ringSection(files: HaproxyFiles): string {
  if (files.ring === undefined) return '';
  const lines = ['format rfc5424', `maxlen ${LINE_BYTES}`, `size ${RING_BYTES}`, `backing-file "${files.ring}"`];
  return section(`ring ${RING}`, lines);
}

/** Lines of an HTTP frontend that the testbed decides; they come before every rule of the frontend. */
export function frontendLines(): string[] {
  const format = FIELDS.map(([name, value]) => `"${name}":${value}`).join(',');
  return ['log global', `log-format '{${format}}'`, `http-request set-var(${ID}) req.hdr(X-Request-Id)`];
}

/** Lines of a backend that the testbed decides: what happens to its servers is logged. */
export function backendLines(): string[] {
  return ['log global', 'option log-health-checks'];
}

/** A host's name as a server's name may be written: `shop[1]` is `shop-1`. */
const serverName = (host: string) => host.replace(/\[(\d+)\]/, '-$1');

/**
 * `server` lines, without the word: one per backend, or one per backend and source address, all backends of one address together. So
 * whatever picks a server picks a source address with it, and those that take turns take turns among both.
 */
export function serverLines(backends: Endpoint[], sources: string[]): string[] {
  const several = sources.length > 1;
  return sources.flatMap((source, index) =>
    backends.map(({ host, address, port }) => {
      const name = several ? `${serverName(host)}.${index}` : serverName(host);
      return `${name} ${address}:${port}${several ? ` source ${source}` : ''}`;
    }),
  );
}

/** Options of one server line. Limits are for the backend as a whole: its lines share them. */
function serverOptions(spec: HaproxySpec, name: string, backend: number, source: number): string {
  const options: string[] = [];
  const sharesOf = (total: number) => Math.floor((total + spec.sourceAddresses - 1 - source) / spec.sourceAddresses);
  if (spec.weights !== undefined) options.push(`weight ${spec.weights[backend]}`);
  if (spec.backendConnections !== undefined) options.push(`maxconn ${sharesOf(spec.backendConnections)}`);
  if (spec.keepalive > 0) options.push(`pool-max-conn ${sharesOf(spec.keepalive)}`);
  if (spec.sticky === 'cookie') options.push(`cookie ${name}`);
  if (spec.healthCheck !== undefined) {
    const { interval, fall, rise } = spec.healthCheck;
    options.push(`check inter ${interval}ms fall ${fall} rise ${rise}`);
    if (spec.maxFails) options.push(`observe layer4 error-limit ${spec.maxFails} on-error mark-down`);
  }
  return options.map((option) => ` ${option}`).join('');
}

/** How the backend picks a server. */
function balancing(spec: HaproxySpec): string[] {
  if (spec.sticky === 'consistent-hash') return ['balance source', 'hash-type consistent'];
  switch (spec.algorithm) {
    case 'round-robin':
      return ['balance roundrobin'];
    case 'least-connections':
      return ['balance leastconn'];
    case 'random-two':
      return ['balance random(2)'];
    case 'hash':
      return ['balance source', 'hash-type consistent'];
  }
}

function stickiness(spec: HaproxySpec): string[] {
  if (spec.sticky === 'source') return ['stick-table type ip size 100k expire 30m', 'stick on src'];
  if (spec.sticky === 'cookie') return ['cookie portparty-server insert indirect nocache'];
  return [];
}

/**
 * At most `burst` + 1 requests of one address in the time in which the rate brings as many. Refused ones do not count: a client that
 * keeps asking still gets its share.
 */
function rateLimit({ rateLimit: limit }: HaproxySpec): string[] {
  if (limit === undefined) return [];
  const windowMs = Math.max(1, Math.round(((limit.burst + 1) * 1000) / limit.rate));
  return [
    `stick-table type ip size 100k expire ${Math.max(10_000, 2 * windowMs)}ms store gpc0_rate(${windowMs}ms)`,
    'http-request track-sc0 src',
    `http-request set-var(${LIMIT}) str(${LIMITS.rate}) if { sc0_gpc0_rate gt ${limit.burst} }`,
    `http-request deny deny_status 429 if { sc0_gpc0_rate gt ${limit.burst} }`,
    'http-request sc-inc-gpc0(0)',
  ];
}

function queueLimit({ queueLength }: HaproxySpec): string[] {
  if (queueLength === undefined) return [];
  const full = `{ queue(${BACKEND}) ge ${queueLength} }`;
  return [
    `http-request set-var(${LIMIT}) str(${LIMITS.queue}) if ${full}`,
    `http-request deny deny_status 503 if ${full}`,
  ];
}

/** Renders the configuration of one host. The time-outs are those of Debian's own haproxy.cfg. */
export function renderConfig(
  spec: HaproxySpec,
  files: HaproxyFiles,
  listen: Endpoint,
  backends: Endpoint[],
  sources: string[],
): string {
  const optional = (value: unknown, line: string) => (value === undefined || value === false ? [] : [line]);
  const servers = serverLines(backends, sources).map((line, index) => {
    const [name] = line.split(' ');
    return `server ${line}${serverOptions(spec, name, index % backends.length, Math.floor(index / backends.length))}`;
  });
  return [
    section('global', [...globalLines(files), `nbthread ${spec.workers}`]),
    section('defaults', [
      'mode http',
      `timeout connect ${spec.connectTimeout ?? 5_000}ms`,
      'timeout client 50s',
      `timeout server ${spec.responseTimeout ?? 50_000}ms`,
      ...optional(spec.queueTimeout, `timeout queue ${spec.queueTimeout}ms`),
      ...optional(spec.retries, `retries ${spec.retries}`),
      ...optional(spec.redispatch, 'option redispatch'),
      ...(spec.keepalive > 0 ? ['http-reuse always'] : ['option http-server-close', 'http-reuse never']),
    ]),
    section('frontend entry', [
      ...frontendLines(),
      `bind ${listen.address}:${listen.port}${spec.backlog === undefined ? '' : ` backlog ${spec.backlog}`}`,
      ...optional(spec.maxConnections, `maxconn ${spec.maxConnections}`),
      ...rateLimit(spec),
      ...queueLimit(spec),
      `default_backend ${BACKEND}`,
    ]),
    section(`backend ${BACKEND}`, [...backendLines(), ...balancing(spec), ...stickiness(spec), ...servers]),
    ringSection(files),
  ].join('\n');
}

function section(head: string, lines: string[]): string {
  return `${head}\n${lines.map((line) => `  ${line}\n`).join('')}`;
}
