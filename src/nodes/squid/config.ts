/** The squid.conf of a node without a configuration of its own. */
import type { Endpoint } from '../../topology/plan.js';
import type { SquidSpec } from '../squid.js';

/** Files of one squid, as its host sees them. */
export interface SquidFiles {
  accessLog: string;
  cacheLog: string;
  pid: string;
  /** Name by which it calls itself, in `Via` and in answers of its own; another one for every host. */
  name: string;
}

/** A `connect-fail-limit` that is never reached. */
const NEVER = 1_000_000_000;

/** Fields of the access log (format codes of squid's logformat); none of them contains a blank. */
const FIELDS = [
  '%#{X-Request-Id}>h',
  '%tS',
  '%ts.%03tu',
  '%>Hs',
  '%>a:%>p',
  '%Ss',
  '%Sh',
  '%<a:%<p',
  '%<la:%<lp',
  '%<tt',
  '%<pt',
  '%err_code',
  '%#{X-Squid-Error}<h',
  '%master_xaction',
  '%rm',
  '%ru',
];

/**
 * Directives that the testbed decides, for a rendered configuration and for the user's own: its logs, each line written at once
 * (section 15 of the debug output tells of peers), and nothing that looks beyond the testbed.
 */
export function ownDirectives(files: SquidFiles): string {
  return `logformat portparty ${FIELDS.join(' ')}
access_log stdio:${files.accessLog} logformat=portparty
buffered_logs off
cache_log ${files.cacheLog}
debug_options ALL,1 15,2
cache_store_log none
pid_filename ${files.pid}
unique_hostname ${files.name}
coredump_dir none
netdb_filename none
pinger_enable off
shutdown_lifetime 0 seconds
`;
}

/** One backend under one source address: squid counts connections, turns and failures of each by itself. */
interface Peer {
  name: string;
  backend: Endpoint;
  /** Index of the backend. */
  to: number;
  source: string | undefined;
}

function peersOf(backends: Endpoint[], sources: string[]): Peer[] {
  const several = sources.length > 1;
  // Sources outside: neighbours in turn go to different backends.
  return (several ? sources : [undefined]).flatMap((source, from) =>
    backends.map((backend, to) => ({
      name: several ? `backend${to}-from${from}` : `backend${to}`,
      backend,
      to,
      source,
    })),
  );
}

/** `cache_peer` lines of all backends. */
export function peerLines(spec: SquidSpec, backends: Endpoint[], sources: string[]): string {
  const { maxFails, backendConnections, connectTimeout, weights } = spec;
  const options = [
    'no-query no-digest no-netdb-exchange originserver',
    pickedBySource(spec) ? 'sourcehash' : 'round-robin',
    backendConnections === undefined ? '' : `max-conn=${backendConnections / sources.length}`,
    maxFails === undefined ? '' : `connect-fail-limit=${maxFails || NEVER}`,
    connectTimeout === undefined ? '' : `connect-timeout=${connectTimeout / 1000}`,
  ].filter((option) => option !== '');
  return peersOf(backends, sources)
    .map(
      ({ name, backend, to }) =>
        `cache_peer ${backend.address} parent ${backend.port} 0 ${options.join(' ')}${weights === undefined ? '' : ` weight=${weights[to]}`} name=${name}`,
    )
    .join('\n');
}

/** Whether a hash of the client's address picks the backend. */
const pickedBySource = ({ sticky, algorithm }: SquidSpec) => sticky === 'source' || algorithm === 'hash';

/** The text of squid.conf for one host; `sources` are the addresses that it opens its connections from. */
export function renderConfig(
  spec: SquidSpec,
  files: SquidFiles,
  listen: Endpoint,
  backends: Endpoint[],
  sources: string[],
): string {
  const lines = [
    ownDirectives(files),
    spec.mode === 'forward' ? forward(listen, spec, sources) : reverse(listen, spec, backends, sources),
    'http_access allow all',
    'dns_nameservers 127.0.0.1',
    `server_persistent_connections ${spec.keepalive === 0 ? 'off' : 'on'}`,
    ...caching(spec),
    ...(spec.retries === undefined ? [] : [`connect_retries ${spec.retries}`]),
    ...(spec.redispatch === false ? ['forward_max_tries 1'] : []),
    ...(spec.responseTimeout === undefined ? [] : [`read_timeout ${spec.responseTimeout / 1000} seconds`]),
  ];
  return `${lines.join('\n')}\n`;
}

function reverse({ address, port }: Endpoint, spec: SquidSpec, backends: Endpoint[], sources: string[]): string {
  const turns = peersOf(backends, sources).filter(({ source }) => source !== undefined);
  return [
    `http_port ${address}:${port} accel defaultsite=${address}`,
    peerLines(spec, backends, sources),
    ...turns.flatMap(({ name, source }) => [
      `acl to_${name} peername ${name}`,
      `tcp_outgoing_address ${source} to_${name}`,
    ]),
    'never_direct allow all',
  ].join('\n');
}

/** Each connection takes an address at random: one in n takes the first, of the rest one in n - 1 the second, … */
function forward({ address, port }: Endpoint, spec: SquidSpec, sources: string[]): string {
  return [
    `http_port ${address}:${port}`,
    'always_direct allow all',
    ...(spec.connectTimeout === undefined ? [] : [`connect_timeout ${spec.connectTimeout / 1000} seconds`]),
    ...(sources.length > 1
      ? sources.flatMap((source, index) => [
          ...(index + 1 < sources.length ? [`acl turn${index} random 1/${sources.length - index}`] : []),
          `tcp_outgoing_address ${source}${index + 1 < sources.length ? ` turn${index}` : ''}`,
        ])
      : []),
  ].join('\n');
}

/** Answers that set a cookie are one visitor's own, so they are not stored. */
function caching({ cache }: SquidSpec): string[] {
  if (cache === undefined) return ['cache deny all'];
  const minutes = cache.ttl / 60_000;
  const path = cache.paths.map((prefix) => prefix.replace(/[.*+?()[\]^|]/g, '\\$&')).join('|');
  return [
    `acl cached urlpath_regex ^(${path})`,
    'cache deny !cached',
    'acl sets_cookie rep_header Set-Cookie .',
    'store_miss deny sets_cookie',
    `refresh_pattern . ${minutes} 0% ${minutes}`,
    `collapsed_forwarding ${cache.coalesce ? 'on' : 'off'}`,
  ];
}
