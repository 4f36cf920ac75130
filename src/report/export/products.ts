/** The products whose lines are exported: where their configuration is, how it is written, and which of its lines only the testbed needs. */
import type { KindName } from '../../nodes/registry.js';
import { ownSettings } from '../../nodes/trafficserver/config.js';
import type { MarkedStatement } from './difference.js';
import type { Style } from './print.js';
import { sharedOptions } from './server-lines.js';
import type { Statement } from './statements.js';

/** One file of a product's configuration. */
export interface ProductFile extends Style {
  /** As the record keeps it, in the folder of the host's logs. */
  name: string;
  /** What the exported file is called, without the node's name: `nginx-balancer.conf`. */
  exportedAs: [before: string, behind: string];
  /** Whose file the lines go into, as a reader knows it. */
  yours: string;
  /** Whether a statement is there for the testbed alone. */
  ofTestbed(statement: Statement): boolean;
  /** Which setting a statement is about. */
  nameOf(text: string): string;
  /** Puts the text in a form that others can use as well, before it is compared. */
  prepare?(text: string): string;
  /** Puts the difference in a form that others can use as well. */
  tidy?(statements: MarkedStatement[]): MarkedStatement[];
}

const firstWord = (text: string) => text.split(/[\s;]/)[0];
const beginsWith =
  (pattern: RegExp) =>
  ({ text }: Statement) =>
    pattern.test(text);

const nginx: ProductFile = {
  name: 'nginx.conf',
  exportedAs: ['nginx', '.conf'],
  yours: 'nginx.conf',
  syntax: 'semicolons',
  comments: 'behind',
  ofTestbed: beginsWith(/^(daemon|user|pid|lock_file|error_log|access_log|log_format|\w+_temp_path)\b/),
  nameOf: firstWord,
  // The cache of a run lies in the testbed's own folder.
  prepare: (text) => text.replace(/(proxy_cache_path )"[^"]*"/g, '$1"/var/cache/nginx-portparty"'),
};

/** Words that are a part of a setting's name in haproxy.cfg. */
const HAPROXY_FAMILIES = new Set(['option', 'timeout', 'stick', 'stats', 'http-request', 'no']);

const haproxy: ProductFile = {
  name: 'haproxy.cfg',
  exportedAs: ['haproxy', '.cfg'],
  yours: 'haproxy.cfg',
  syntax: 'sections',
  comments: 'behind',
  ofTestbed: ({ blocks, text }) =>
    blocks[0]?.head.startsWith('ring portparty') === true ||
    /^(log\b|log-format\b|stats socket\b|option log-health-checks|http-request set-var\(txn\.portparty_)/.test(text),
  nameOf: (text) =>
    text
      .split(' ')
      .slice(0, HAPROXY_FAMILIES.has(firstWord(text)) ? 2 : 1)
      .join(' '),
  tidy: sharedOptions,
};

const squid: ProductFile = {
  name: 'squid.conf',
  exportedAs: ['squid', '.conf'],
  yours: 'squid.conf',
  syntax: 'lines',
  comments: 'above',
  ofTestbed: beginsWith(
    /^(logformat|access_log|buffered_logs|cache_log|debug_options|cache_store_log|pid_filename|unique_hostname|coredump_dir|netdb_filename|pinger_enable|shutdown_lifetime|dns_nameservers|http_access)\b/,
  ),
  nameOf: firstWord,
};

const varnish: ProductFile = {
  name: 'default.vcl',
  exportedAs: ['varnish', '.vcl'],
  yours: 'VCL',
  syntax: 'semicolons',
  comments: 'behind',
  ofTestbed: () => false,
  // `.port = "80";`, `set beresp.ttl = 2s;`
  nameOf: (text) => text.split(' = ')[0],
};

const caddy: ProductFile = {
  name: 'Caddyfile',
  exportedAs: ['caddy', '.Caddyfile'],
  yours: 'Caddyfile',
  syntax: 'braces',
  comments: 'behind',
  ofTestbed: ({ blocks, text }) =>
    blocks.some(({ head }) => /^log\b/.test(head)) || /^(admin|storage|auto_https)\b/.test(text),
  nameOf: firstWord,
  // With `to` in the block instead of addresses in its head, another backend is another line and not another block.
  prepare: (text) =>
    text
      .replace(/^(\s*reverse_proxy)((?: [\d.]+:\d+)+) \{$/gm, '$1 {\n$1 to$2')
      .replace(/^(\s*)reverse_proxy to /gm, '$1to '),
};

const records = new Set(ownSettings({ logs: '', run: '' }).map(([name]) => `proxy.config.${name}`));

const trafficserver: ProductFile[] = [
  {
    name: 'records.config',
    exportedAs: ['trafficserver', '.records.config'],
    yours: 'records.config',
    syntax: 'lines',
    comments: 'above',
    ofTestbed: ({ text }) => records.has(text.split(/\s+/)[1]),
    nameOf: (text) => text.split(/\s+/)[1],
  },
  ...['parent.config', 'remap.config'].map(
    (name): ProductFile => ({
      name,
      exportedAs: ['trafficserver', `.${name}`],
      yours: name,
      syntax: 'lines',
      comments: 'above',
      ofTestbed: () => false,
      nameOf: firstWord,
    }),
  ),
];

/** By kind of node. Kinds that are not here have no configuration file of a product. */
export const PRODUCTS: Partial<Record<KindName, ProductFile[]>> = {
  nginx: [nginx],
  haproxy: [haproxy],
  squid: [squid],
  varnish: [varnish],
  caddy: [caddy],
  trafficserver,
};
