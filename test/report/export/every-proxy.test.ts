/** For every kind of proxy: the lines that its own renderer writes for a knob are the ones that are exported, and nothing of the testbed. */
import { describe, expect, it } from 'vitest';
import { renderConfig as caddyConfig } from '../../../src/nodes/caddy/config.js';
import { caddy } from '../../../src/nodes/caddy.js';
import { renderConfig as haproxyConfig } from '../../../src/nodes/haproxy/config.js';
import { haproxy } from '../../../src/nodes/haproxy.js';
import type { NodeKind } from '../../../src/nodes/kind.js';
import { renderConfig as nginxConfig } from '../../../src/nodes/nginx/config.js';
import { nginx } from '../../../src/nodes/nginx.js';
import { KIND_NAMES, kindOf } from '../../../src/nodes/registry.js';
import { renderConfig as squidConfig } from '../../../src/nodes/squid/config.js';
import { squid } from '../../../src/nodes/squid.js';
import { filesBeside, renderRecords } from '../../../src/nodes/trafficserver/config.js';
import { trafficserver } from '../../../src/nodes/trafficserver.js';
import { renderVcl } from '../../../src/nodes/varnish/vcl.js';
import { varnish } from '../../../src/nodes/varnish.js';
import type { ChainRecord } from '../../../src/record/chain-record.js';
import { exportFiles, type RenderedVariant } from '../../../src/report/export/export.js';
import { simulatedRun } from '../../helpers/simulated-runs.js';

const LISTEN = { host: 'balancer', address: '198.18.0.2', port: 80 };
const SHOP = [{ host: 'shop', address: '198.18.0.18', port: 8080 }];
const SOURCES = ['198.18.0.19'];

/** Files of a host whose folder is another one in every variant. */
function filesIn(folder: string) {
  return {
    runDir: folder,
    accessLog: `${folder}/access.log`,
    errorLog: `${folder}/error.log`,
    cacheLog: `${folder}/cache.log`,
    pid: `${folder}/pid`,
    name: 'balancer',
    log: `${folder}/log`,
    admin: `unix/${folder}/admin`,
    storage: folder,
    socket: `${folder}/socket`,
    ring: `${folder}/ring`,
    logs: folder,
    run: folder,
  };
}

interface Case {
  kind: NodeKind;
  /** Two settings whose lines are compared. */
  knobs: [before: object, after: object];
  // biome-ignore lint/suspicious/noExplicitAny: each renderer takes the knobs of its own kind
  render(spec: any, files: ReturnType<typeof filesIn>): Record<string, string>;
  /** By file, the lines that change something, without their comments. */
  lines: Record<string, string[]>;
}

const CASES: Case[] = [
  {
    kind: nginx as unknown as NodeKind,
    knobs: [{}, { cache: { ttl: '2s', paths: ['/event'] }, maxConnections: 9 }],
    render: (spec, files) => ({ 'nginx.conf': nginxConfig(spec, files, LISTEN, SHOP, SOURCES) }),
    lines: {
      'nginx-balancer.conf': [
        'limit_conn_zone $server_port zone=portparty_connections:1m;',
        'proxy_cache_path "/var/cache/nginx-portparty" keys_zone=portparty:8m use_temp_path=off;',
        'limit_conn portparty_connections 9;',
        'location /event {',
        'proxy_pass http://backends;',
        'proxy_set_header Host $host;',
        'proxy_cache portparty;',
        'proxy_cache_key $uri$is_args$args;',
        'proxy_cache_valid 200 301 302 404 2s;',
        'proxy_cache_lock on;',
        'proxy_ignore_headers Cache-Control Expires Set-Cookie Vary X-Accel-Expires;',
        'proxy_hide_header Set-Cookie;',
      ],
    },
  },
  {
    kind: haproxy as unknown as NodeKind,
    knobs: [{}, { queueLength: 7, healthCheck: {}, retries: 1 }],
    render: (spec, files) => ({ 'haproxy.cfg': haproxyConfig(spec, files, LISTEN, SHOP, SOURCES) }),
    lines: {
      'haproxy-balancer.cfg': [
        'retries 1',
        'http-request deny deny_status 503 if { queue(backends) ge 7 }',
        'default-server check inter 2000ms fall 3 rise 2',
      ],
    },
  },
  {
    kind: squid as unknown as NodeKind,
    knobs: [{}, { keepalive: 'unlimited', maxFails: 3 }],
    render: (spec, files) => ({ 'squid.conf': squidConfig(spec, files, LISTEN, SHOP, SOURCES) }),
    lines: {
      'squid-balancer.conf': [
        'cache_peer 198.18.0.18 parent 8080 0 no-query no-digest no-netdb-exchange originserver round-robin connect-fail-limit=3 name=backend0',
        'server_persistent_connections on',
      ],
    },
  },
  {
    kind: varnish as unknown as NodeKind,
    knobs: [{}, { backendConnections: 40, failTimeout: '3s' }],
    render: (spec) => ({ 'default.vcl': renderVcl(spec, SHOP) }),
    lines: {
      'varnish-balancer.vcl': ['.max_connections = 40;'],
      'varnish-balancer.options': ['-p backend_local_error_holddown=3', '-p backend_remote_error_holddown=3'],
    },
  },
  {
    kind: caddy as unknown as NodeKind,
    knobs: [{}, { keepalive: 16, retries: 2 }],
    render: (spec, files) => ({ Caddyfile: caddyConfig(spec, files, LISTEN, SHOP) }),
    lines: { 'caddy-balancer.Caddyfile': ['keepalive_idle_conns_per_host 16', 'lb_retries 2'] },
  },
  {
    kind: trafficserver as unknown as NodeKind,
    knobs: [{}, { keepalive: 'unlimited', algorithm: 'hash' }],
    render: (spec, files) => ({ 'records.config': renderRecords(spec, files, LISTEN), ...filesBeside(spec, SHOP) }),
    lines: {
      'trafficserver-balancer.records.config': ['CONFIG proxy.config.http.keep_alive_enabled_out INT 1'],
      'trafficserver-balancer.parent.config': [
        'dest_domain=. parent="198.18.0.18:8080" round_robin=true go_direct=false parent_is_proxy=false',
      ],
    },
  },
];

function rendered({ kind, render }: Case, knobs: object, folder: string): RenderedVariant {
  const spec = kind.knobs.parse({ to: 'shop', ...knobs }) as Record<string, unknown>;
  const hosts = (name: string, addresses: string[]) => [{ name, addresses }];
  const nodes: ChainRecord['nodes'] = {
    balancer: {
      kind: kind.kind,
      layer: 'L7',
      to: 'shop',
      hosts: hosts('balancer', [LISTEN.address, ...SOURCES]),
      spec: Object.fromEntries(Object.entries(spec).filter(([name]) => name !== 'to')),
    },
    shop: { kind: 'fixed', layer: 'server', hosts: hosts('shop', [SHOP[0].address]), spec: { hosts: 1, sysctls: {} } },
  };
  const traffic = { from: ['buyers'] } as unknown as ChainRecord['traffic'];
  return { chain: { nodes, traffic }, files: { balancer: render(spec, filesIn(folder)) } };
}

/** Its lines that change something, without comments and without the reader's own blocks. */
function changedLines(text: string): string[] {
  const code = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const behind = code.filter((line) => / {2}# M\b/.test(line));
  // Where comments stand above their lines, the file has no others.
  return behind.length === 0 ? code : behind.map((line) => line.replace(/ {2}# M\b.*$/, ''));
}

describe('the lines of every proxy', () => {
  it('are looked at here', () => {
    const proxies = KIND_NAMES.filter((name) => kindOf(name).layer === 'L7');
    expect(CASES.map(({ kind }) => kind.kind).sort()).toEqual([...proxies].sort());
  });

  it.each(CASES.map((one) => [one.kind.kind, one] as const))('%s', (_, one) => {
    const record = simulatedRun({ seed: 1, trials: 1, settings: { a: { drops: 9 }, b: { drops: 0 } } });
    const [before, after] = record.variants;
    const [notes, ...files] = exportFiles({
      record,
      base: { variant: before, rendered: rendered(one, one.knobs[0], '/dev/shm/one') },
      variant: { variant: after, rendered: rendered(one, one.knobs[1], '/dev/shm/other') },
      measured: 'M',
    });
    expect(Object.fromEntries(files.map(({ name, text }) => [name, changedLines(text)]))).toEqual(one.lines);
    for (const { text } of files) expect(text).not.toContain('/dev/shm');
    // Every knob that was changed has a file, and each file is named.
    expect(notes.text).not.toMatch(/\| (none|not known)[^|]*\|$/m);
    for (const { name } of files) expect(notes.text).toContain(`* \`${name}\``);
  });
});
