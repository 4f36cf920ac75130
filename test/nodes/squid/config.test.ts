import { describe, expect, it } from 'vitest';
import { renderConfig } from '../../../src/nodes/squid/config.js';
import { adaptConfig } from '../../../src/nodes/squid/user-config.js';
import { squid } from '../../../src/nodes/squid.js';

const FILES = { accessLog: '/logs/access.log', cacheLog: '/logs/cache.log', pid: '/run/x.pid', name: 'proxy-1' };
const LISTEN = { host: 'proxy', address: '198.18.0.2', port: 80 };
const BACKENDS = ['198.18.1.2', '198.18.1.3'].map((address) => ({ host: 'shop', address, port: 8080 }));
const SOURCES = ['198.18.1.9'];

const spec = (knobs: object = {}) => squid.knobs.parse({ to: 'shop', ...knobs });
const rendered = (knobs: object = {}, sources = SOURCES) => renderConfig(spec(knobs), FILES, LISTEN, BACKENDS, sources);
const peersOf = (text: string) => text.split('\n').filter((line) => line.startsWith('cache_peer'));

describe('the rendered configuration', () => {
  it('of a reverse proxy names each backend as a peer, in turn', () => {
    const text = rendered();
    expect(text).toContain('http_port 198.18.0.2:80 accel');
    expect(text).toContain('never_direct allow all');
    expect(peersOf(text)).toEqual([
      'cache_peer 198.18.1.2 parent 8080 0 no-query no-digest no-netdb-exchange originserver round-robin name=backend0',
      'cache_peer 198.18.1.3 parent 8080 0 no-query no-digest no-netdb-exchange originserver round-robin name=backend1',
    ]);
    expect(text).toContain('server_persistent_connections off');
    expect(text).toContain('cache deny all');
  });

  it('of a forward proxy names nobody', () => {
    const text = rendered({ mode: 'forward', connectTimeout: '3s' });
    expect(peersOf(text)).toEqual([]);
    expect(text).toContain('http_port 198.18.0.2:80\n');
    expect(text).toContain('always_direct allow all');
    expect(text).toContain('connect_timeout 3 seconds');
  });

  it('has a directive for each knob', () => {
    const text = rendered({
      keepalive: 'unlimited',
      algorithm: 'hash',
      backendConnections: 20,
      maxFails: 3,
      connectTimeout: '2s',
      responseTimeout: '5s',
      retries: 2,
      redispatch: false,
    });
    expect(peersOf(text)[0]).toMatch(/ sourcehash max-conn=20 connect-fail-limit=3 connect-timeout=2 /);
    for (const line of [
      'server_persistent_connections on',
      'read_timeout 5 seconds',
      'connect_retries 2',
      'forward_max_tries 1',
    ])
      expect(text).toContain(`${line}\n`);
    expect(peersOf(rendered({ maxFails: 0 }))[0]).toContain('connect-fail-limit=1000000000');
    expect(peersOf(rendered({ sticky: 'source' }))[0]).toContain(' sourcehash ');
  });

  it('gives each peer of a backend its weight', () => {
    const text = rendered({ weights: [3, 1], sourceAddresses: 2 }, ['198.18.1.9', '198.18.1.10']);
    expect(peersOf(text).map((line) => /weight=\S+ name=\S+/.exec(line)![0])).toEqual([
      'weight=3 name=backend0-from0',
      'weight=1 name=backend1-from0',
      'weight=3 name=backend0-from1',
      'weight=1 name=backend1-from1',
    ]);
  });

  it('gives each backend one peer per source address, so that they take turns', () => {
    const text = rendered({ sourceAddresses: 2, backendConnections: 20 }, ['198.18.1.9', '198.18.1.10']);
    expect(peersOf(text)).toHaveLength(4);
    expect(text).toContain('max-conn=10 name=backend0-from0');
    expect(text).toContain(
      'acl to_backend1-from1 peername backend1-from1\ntcp_outgoing_address 198.18.1.10 to_backend1-from1',
    );
  });

  it('lets a forward proxy take its source address at random, each as often as the others', () => {
    const text = rendered({ mode: 'forward', sourceAddresses: 3 }, ['198.18.1.9', '198.18.1.10', '198.18.1.11']);
    expect(text).toContain(
      [
        'acl turn0 random 1/3',
        'tcp_outgoing_address 198.18.1.9 turn0',
        'acl turn1 random 1/2',
        'tcp_outgoing_address 198.18.1.10 turn1',
        'tcp_outgoing_address 198.18.1.11',
      ].join('\n'),
    );
  });

  it('caches the paths that it is told to, for so many minutes', () => {
    const text = rendered({ cache: { ttl: '2m', paths: ['/event', '/a.b'], coalesce: false } });
    expect(text).toContain('acl cached urlpath_regex ^(/event|/a\\.b)\ncache deny !cached\n');
    expect(text).toContain('refresh_pattern . 2 0% 2\ncollapsed_forwarding off');
    expect(text).toContain('store_miss deny sets_cookie');
  });
});

describe("the user's own configuration", () => {
  const adapt = (text: string, knobs: object = {}) =>
    adaptConfig(text, spec(knobs), FILES, LISTEN, BACKENDS, SOURCES, 'topology.proxy.config');

  it('gets its placeholders filled, and the logs of the testbed', () => {
    const { text, reducedAttribution } = adapt('http_port {{listen}} accel\n{{backends}}\n', { backendConnections: 7 });
    expect(text).toContain('http_port 198.18.0.2:80 accel');
    expect(peersOf(text)[1]).toMatch(/^cache_peer 198\.18\.1\.3 .* max-conn=7 name=backend1$/);
    expect(text).toContain('access_log stdio:/logs/access.log logformat=portparty');
    expect(reducedAttribution).toBeUndefined();
  });

  it('loses what the testbed decides, and keeps its lines where they were', () => {
    const { text } = adapt(
      'access_log none\ncache_effective_user proxy\ndebug_options ALL,0\nworkers 4\nacl a \\\n  src all\nhttp_access allow a\n',
    );
    expect(text.split('\n').slice(0, 7)).toEqual(['', '', '', '', 'acl a  src all', '', 'http_access allow a']);
  });

  it('takes relative includes from /etc/squid, and says what it cannot see', () => {
    const { text, reducedAttribution } = adapt('include conf.d/*.conf\n');
    expect(text).toContain('include /etc/squid/conf.d/*.conf');
    expect(reducedAttribution).toContain('conf.d/*.conf');
  });

  it.each(['request_header_access X-Request-Id deny all', 'request_header_access All deny all'])(
    'says what `%s` does to attribution',
    (line) => {
      expect(adapt(`${line}\n`)).toMatchObject({ reducedAttribution: expect.stringContaining(line) });
    },
  );

  it('may not cache on disk', () => {
    expect(() => adapt('cache_dir ufs /var/spool/squid 100 16 256\n')).toThrow(
      expect.objectContaining({ exitCode: 2, where: 'topology.proxy.config' }),
    );
  });
});
