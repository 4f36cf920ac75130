import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderConfig } from '../../../src/nodes/haproxy/config.js';
import { adaptConfig } from '../../../src/nodes/haproxy/user-config.js';
import type { HaproxySpec } from '../../../src/nodes/haproxy.js';
import { haproxy } from '../../../src/nodes/haproxy.js';

const FILES = { socket: '/run/x/haproxy.sock', ring: '/run/x/1.ring' };
const LISTEN = { host: 'balancer', address: '198.18.0.2', port: 80 };
const BACKENDS = [
  { host: 'shop[0]', address: '198.18.1.2', port: 8080 },
  { host: 'shop[1]', address: '198.18.1.3', port: 8080 },
];
const SOURCES = ['198.18.1.10', '198.18.1.11'];

function rendered(knobs: object, sources = SOURCES.slice(0, 1)): string {
  const spec: HaproxySpec = haproxy.knobs.parse({ to: 'shop', sourceAddresses: sources.length, ...knobs });
  return renderConfig(spec, FILES, LISTEN, BACKENDS, sources);
}

/** The server lines, each without its word. */
const servers = (text: string) => [...text.matchAll(/^ {2}server (.*)$/gm)].map(([, line]) => line);

describe('the configuration', () => {
  it('has a server line per backend', () => {
    expect(servers(rendered({}))).toEqual(['shop-0 198.18.1.2:8080', 'shop-1 198.18.1.3:8080']);
  });

  it('has one per backend and source address, so that turns are taken among both', () => {
    expect(servers(rendered({}, SOURCES))).toEqual([
      'shop-0.0 198.18.1.2:8080 source 198.18.1.10',
      'shop-1.0 198.18.1.3:8080 source 198.18.1.10',
      'shop-0.1 198.18.1.2:8080 source 198.18.1.11',
      'shop-1.1 198.18.1.3:8080 source 198.18.1.11',
    ]);
  });

  it('shares the limits of a backend among its lines', () => {
    const lines = servers(rendered({ backendConnections: 5, keepalive: 3 }, SOURCES));
    expect(lines.filter((line) => line.startsWith('shop-0')).map((line) => /maxconn (\d+)/.exec(line)![1])).toEqual([
      '3',
      '2',
    ]);
    expect(
      lines.filter((line) => line.startsWith('shop-1')).map((line) => /pool-max-conn (\d+)/.exec(line)![1]),
    ).toEqual(['2', '1']);
  });

  it('gives each line of a backend its weight', () => {
    expect(servers(rendered({ weights: [3, 0] }, SOURCES))).toEqual([
      'shop-0.0 198.18.1.2:8080 source 198.18.1.10 weight 3',
      'shop-1.0 198.18.1.3:8080 source 198.18.1.10 weight 0',
      'shop-0.1 198.18.1.2:8080 source 198.18.1.11 weight 3',
      'shop-1.1 198.18.1.3:8080 source 198.18.1.11 weight 0',
    ]);
  });

  it('opens a connection for every request, or keeps some for anybody', () => {
    expect(rendered({})).toMatch(/option http-server-close\n {2}http-reuse never/);
    expect(rendered({ keepalive: 8 })).not.toContain('http-server-close');
    expect(rendered({ keepalive: 8 })).toContain('http-reuse always');
  });

  it.each([
    [{ algorithm: 'least-connections' }, 'balance leastconn'],
    [{ algorithm: 'random-two' }, 'balance random(2)'],
    [{ algorithm: 'hash' }, 'balance source\n  hash-type consistent'],
    [{ sticky: 'consistent-hash' }, 'balance source\n  hash-type consistent'],
    [{ sticky: 'source' }, 'stick on src'],
    [{ sticky: 'cookie' }, 'cookie portparty-server insert indirect nocache'],
    [{ sticky: 'cookie' }, 'server shop-1 198.18.1.3:8080 cookie shop-1'],
    [{ healthCheck: true }, 'check inter 2000ms fall 3 rise 2'],
    [
      { healthCheck: { interval: '500ms' }, maxFails: 5 },
      'check inter 500ms fall 3 rise 2 observe layer4 error-limit 5',
    ],
    [{ maxConnections: 20, backlog: 7 }, 'bind 198.18.0.2:80 backlog 7\n  maxconn 20'],
    [{ retries: 0, redispatch: true }, 'retries 0\n  option redispatch'],
    [{ backendConnections: 5, queueTimeout: '1s' }, 'timeout queue 1000ms'],
    [{ connectTimeout: '250ms', responseTimeout: '3s' }, 'timeout connect 250ms'],
    [{ workers: 2 }, 'nbthread 2'],
    [{ rateLimit: { rate: '100/s', burst: 19 } }, 'store gpc0_rate(200ms)'],
  ])('says %j in its own words', (knobs, words) => {
    expect(rendered(knobs)).toContain(words);
  });
});

const adapt = (text: string) => adaptConfig(text, FILES, LISTEN, BACKENDS, SOURCES.slice(0, 1));

describe("the user's own configuration", () => {
  const own = readFileSync('test/fixtures/haproxy/own.cfg', 'utf8');

  it('gets its placeholders filled, each server line with what stands behind', () => {
    const { text } = adapt(own);
    expect(text).toContain('bind 198.18.0.2:80 backlog 2048');
    expect(servers(text.replaceAll('\t', '  '))).toEqual([
      'shop-0 198.18.1.2:8080 maxconn 5 # as the server bears it',
      'shop-1 198.18.1.3:8080 maxconn 5 # as the server bears it',
    ]);
  });

  it('loses its own logs, its users and its sockets, and nothing else', () => {
    const { text, reducedAttribution } = adapt(own);
    expect(reducedAttribution).toBeUndefined();
    const theirs = text.split('\n').filter((line) => line.startsWith('\t') && !line.includes('server shop'));
    expect(theirs.map((line) => line.trim())).toEqual([
      'stats timeout 30s',
      'maxconn 2000',
      'mode\thttp',
      'timeout connect 5000',
      'timeout client  50000',
      'timeout server  50000',
      'bind 198.18.0.2:80 backlog 2048',
      'http-request deny deny_status 429 if { req.hdr(x-request-id) r9.1 }',
      'default_backend shops   # our own name',
      'balance leastconn',
      'timeout queue 300ms',
      'http-reuse never',
    ]);
  });

  it('has the request id noted before any rule of its own', () => {
    const { text } = adapt(own);
    expect(text.indexOf('set-var(txn.portparty_id)')).toBeLessThan(text.indexOf('deny_status 429'));
    expect(text.indexOf('set-var(txn.portparty_id)')).toBeGreaterThan(text.indexOf('frontend web'));
  });

  it('gets a global section where it has none, and one socket where it has two', () => {
    expect(adapt('defaults\n  mode http\n').text).toMatch(/^global\n {2}log ring@portparty/);
    expect(adapt('global\n  nbthread 1\nglobal\n  maxconn 9\n').text.match(/stats socket/g)).toHaveLength(1);
  });

  it('says where plain TCP leaves requests without a line, by the defaults that a section takes', () => {
    const defaults = 'defaults web\n  mode http\ndefaults\n  mode tcp\n';
    expect(adapt(`${defaults}frontend a from web\n  bind :80\n`).reducedAttribution).toBeUndefined();
    expect(adapt(`${defaults}listen b\n  bind :80\n`).reducedAttribution).toContain('plain TCP: b');
    expect(adapt('frontend c\n  bind :80\n').reducedAttribution).toContain('plain TCP: c');
  });
});
