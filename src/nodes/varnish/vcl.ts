/** The VCL of a varnish node without a configuration of its own. */
import type { Endpoint } from '../../topology/plan.js';
import type { VarnishSpec } from '../varnish.js';

/** Page that health checks ask for: the shop's numbers, which leave no trace in its log; any server answers something. */
const CHECKED_PAGE = '/stats';

/** VCL counts in seconds. */
const seconds = (ms: number) => `${ms / 1000}s`;

const block = (lines: (string | undefined)[]) => lines.filter((line) => line !== undefined).join('\n');

/** Name of a backend in VCL and in the log. */
const backendName = (index: number) => `backend${index}`;

/** `backend` declarations, and the probe that they share. */
export function backendDeclarations(spec: VarnishSpec, backends: Endpoint[]): string {
  const { backendConnections, connectTimeout, responseTimeout, healthCheck } = spec;
  const declarations = backends.map(({ address, port }, index) =>
    block([
      `backend ${backendName(index)} {`,
      `  .host = "${address}";`,
      `  .port = "${port}";`,
      backendConnections === undefined ? undefined : `  .max_connections = ${backendConnections};`,
      connectTimeout === undefined ? undefined : `  .connect_timeout = ${seconds(connectTimeout)};`,
      responseTimeout === undefined ? undefined : `  .first_byte_timeout = ${seconds(responseTimeout)};`,
      responseTimeout === undefined ? undefined : `  .between_bytes_timeout = ${seconds(responseTimeout)};`,
      healthCheck === undefined ? undefined : '  .probe = portparty;',
      '}',
    ]),
  );
  return block([healthCheck === undefined ? undefined : probe(healthCheck), ...declarations]);
}

/** A backend is healthy while `threshold` of its last `window` checks were good. All are taken for good at the start. */
function probe({ interval, fall, rise }: NonNullable<VarnishSpec['healthCheck']>): string {
  const window = fall + rise - 1;
  return block([
    'probe portparty {',
    `  .url = "${CHECKED_PAGE}";`,
    `  .interval = ${seconds(interval)};`,
    `  .window = ${window};`,
    `  .threshold = ${rise};`,
    `  .initial = ${window};`,
    '}',
  ]);
}

/** Statements of vcl_init that put all backends into a director of that name. */
export function addBackends(director: string, backends: Endpoint[]): string {
  return backends.map((_, index) => `${director}.add_backend(${backendName(index)});`).join(' ');
}

/** The director (vmod_directors) that picks a backend. */
export function directorOf({
  sticky,
  algorithm,
}: VarnishSpec): 'round_robin' | 'random' | 'fallback' | 'hash' | 'shard' {
  // The shard director's ring is consistent: a backend that goes moves only its own clients.
  if (sticky === 'consistent-hash' || algorithm === 'hash') return 'shard';
  if (sticky === 'source') return 'hash';
  return algorithm === 'random' || algorithm === 'fallback' ? algorithm : 'round_robin';
}

/** How the director is made, how its backends are added, and how it picks one. */
function director(spec: VarnishSpec, backends: Endpoint[]): { init: string; pick: string } {
  const kind = directorOf(spec);
  const added = (more: (weight: string) => string) =>
    backends
      .map((_, index) => `shop.add_backend(${backendName(index)}${more((spec.weights?.[index] ?? 1).toFixed(1))});`)
      .join(' ');
  const plain = addBackends('shop', backends);
  const init = (add: string) => `new shop = directors.${kind}(); ${add}`;
  switch (kind) {
    case 'shard':
      return {
        init: `${init(spec.weights === undefined ? plain : added((weight) => `, weight = ${weight}`))} shop.reconfigure();`,
        pick: 'shop.backend(by = KEY, key = shop.key(client.ip))',
      };
    case 'hash':
      return { init: init(added((weight) => `, ${weight}`)), pick: 'shop.backend(client.ip)' };
    case 'random':
      return { init: init(added((weight) => `, ${weight}`)), pick: 'shop.backend()' };
    default:
      return { init: init(plain), pick: 'shop.backend()' };
  }
}

/** Renders the VCL of one host. What it leaves open is decided by varnish's built-in VCL, which follows each of its subroutines. */
export function renderVcl(spec: VarnishSpec, backends: Endpoint[]): string {
  const { init, pick } = director(spec, backends);
  return `${[
    'vcl 4.1;',
    'import directors;',
    backendDeclarations(spec, backends),
    `sub vcl_init {\n  ${init}\n}`,
    `sub vcl_recv {\n  set req.backend_hint = ${pick};\n${whatToKeep(spec)}}`,
    spec.keepalive === 0 ? 'sub vcl_backend_fetch {\n  set bereq.http.Connection = "close";\n}' : '',
    howLong(spec),
    again(spec),
  ]
    .filter((part) => part !== '')
    .join('\n\n')}\n`;
}

/** A pattern for the paths; VCL strings know no escapes but those of the regular expression itself. */
const pathPattern = (paths: string[]) => `^(${paths.map((path) => path.replace(/[.*+?()[\]^|]/g, '\\$&')).join('|')})`;

function whatToKeep({ cache }: VarnishSpec): string {
  if (cache === undefined) return '  return (pass);\n';
  const rest = `  if (req.url !~ "${pathPattern(cache.paths)}") {\n    return (pass);\n  }\n`;
  return cache.coalesce ? rest : `${rest}  set req.hash_ignore_busy = true;\n`;
}

/** Only answers that say nothing of their own age; one that sets a cookie is its visitor's own and is left to the built-in VCL. */
function howLong({ cache }: VarnishSpec): string {
  if (cache === undefined) return '';
  return `sub vcl_backend_response {
  if (!bereq.uncacheable && beresp.status == 200 && !beresp.http.Cache-Control && !beresp.http.Expires) {
    set beresp.ttl = ${seconds(cache.ttl)};
  }
}`;
}

/** Varnish cannot tell a connection that failed from an answer that did not come, so only what may be repeated is. */
function again({ retries = 0, redispatch }: VarnishSpec): string {
  if (retries === 0) return '';
  return `sub vcl_backend_error {
  if (bereq.retries < ${retries} && (bereq.method == "GET" || bereq.method == "HEAD")) {
${redispatch === false ? '    set bereq.backend = beresp.backend;\n' : ''}    return (retry);
  }
}`;
}
