import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { renderConfig } from '../../../src/nodes/caddy/config.js';
import { adaptConfig } from '../../../src/nodes/caddy/user-config.js';
import { caddy } from '../../../src/nodes/caddy.js';

const FILES = { log: '/logs/requests.log', admin: 'unix//run/admin.sock', storage: '/run/caddy' };
const LISTEN = { host: 'balancer', address: '198.18.0.2', port: 8080 };
const BACKENDS = ['198.18.1.2', '198.18.1.3'].map((address) => ({ host: 'shop', address, port: 8080 }));

const rendered = (knobs: object = {}) =>
  renderConfig(caddy.knobs.parse({ to: 'shop', ...knobs }), FILES, LISTEN, BACKENDS);
const linesOf = (text: string) => text.split('\n').map((line) => line.trim());

describe('the rendered configuration', () => {
  it('listens at its address only, speaks no TLS, and passes everything on to the backends in turn', () => {
    const lines = linesOf(rendered());
    for (const line of [
      'auto_https off',
      'admin unix//run/admin.sock',
      'http://:8080 {',
      'bind 198.18.0.2',
      'reverse_proxy 198.18.1.2:8080 198.18.1.3:8080 {',
      'lb_policy round_robin',
      'keepalive off',
    ])
      expect(lines).toContain(line);
  });

  it("leaves to Caddy's own defaults what the scenario does not say", () => {
    for (const option of [
      'lb_retries',
      'fail_duration',
      'health_uri',
      'max_conns_per_host',
      'dial_timeout',
      'read_timeout',
    ])
      expect(rendered()).not.toContain(option);
  });

  it('has an option for each knob', () => {
    const lines = linesOf(
      rendered({
        keepalive: 32,
        algorithm: 'random-two',
        backendConnections: 90,
        retries: 2,
        healthCheck: { interval: '500ms', fall: 1, rise: 1 },
        maxFails: 3,
        failTimeout: '5s',
        connectTimeout: '2s',
        responseTimeout: '4s',
      }),
    );
    for (const line of [
      'keepalive_idle_conns_per_host 32',
      'lb_policy random_choose 2',
      'max_conns_per_host 90',
      'lb_retries 2',
      'health_uri /stats',
      'health_interval 500ms',
      'max_fails 3',
      'fail_duration 5000ms',
      'dial_timeout 2000ms',
      'response_header_timeout 4000ms',
      'read_timeout 4000ms',
    ])
      expect(lines).toContain(line);
  });

  it.each([
    [{ algorithm: 'least-connections' }, 'least_conn'],
    [{ algorithm: 'hash' }, 'ip_hash'],
    [{ sticky: 'source' }, 'ip_hash'],
    [{ sticky: 'cookie' }, 'cookie portparty portparty'],
  ])('of %o picks by %s', (knobs, policy) => {
    expect(linesOf(rendered(knobs))).toContain(`lb_policy ${policy}`);
  });

  it('holds a backend down for ten seconds where it is asked to and not told how long', () => {
    expect(linesOf(rendered({ maxFails: 1 }))).toContain('fail_duration 10000ms');
    expect(rendered({ maxFails: 0 })).not.toContain('fail_duration');
  });
});

describe("the user's own configuration", () => {
  const adapt = (text: string, within?: 'image') => adaptConfig(text, FILES, LISTEN, BACKENDS, within);

  it('gets its placeholders filled and the logs of the testbed; the rest of it stays', () => {
    const { text, reducedAttribution } = adapt(readFileSync('test/fixtures/caddy/Caddyfile', 'utf8'));
    expect(reducedAttribution).toBeUndefined();
    const lines = linesOf(text);
    for (const line of [
      'debug',
      'email someone@example.com',
      'admin unix//run/admin.sock',
      ':8080 {',
      'import common',
      'header -Server',
      'respond @static "closed {" 503',
      'reverse_proxy 198.18.1.2:8080 198.18.1.3:8080 {',
      'header_up X-Real-IP {remote_host}',
    ])
      expect(lines).toContain(line);
    expect(text).not.toContain('/var/log/caddy');
    expect(text).not.toContain('localhost:2019');
    expect(lines.filter((line) => line.startsWith('log '))).toEqual(['log portparty {', 'log {']);
    expect(text.match(/output discard/g)).toHaveLength(1);
  });

  it('may be a single site without braces, and without global options', () => {
    const { text } = adapt('{{listen}}\n\nreverse_proxy {{backends}}\n');
    expect(text.startsWith('{\n\tadmin unix//run/admin.sock\n')).toBe(true);
    expect(text).toMatch(
      /^:8080\n\tlog \{\n\t\toutput discard\n\t\}\n\nreverse_proxy 198\.18\.1\.2:8080 198\.18\.1\.3:8080$/m,
    );
  });

  it('has the log in each of several sites, whose addresses may stand on several lines', () => {
    const { text } = adapt('http://a.example,\nhttp://b.example {\n\trespond a\n}\n{{listen}} {\n\trespond c\n}\n');
    expect(text.match(/output discard/g)).toHaveLength(2);
    expect(text).toContain('http://b.example {\n\tlog {');
  });

  it("keeps an image's own administration and storage", () => {
    const { text } = adapt(
      '{\n\tadmin off\n\tlog {\n\t\toutput stdout\n\t}\n}\n{{listen}} {\n\trespond ok\n}\n',
      'image',
    );
    expect(text).toContain('admin off');
    expect(text).not.toContain('admin.sock');
    expect(text).not.toContain('output stdout');
    expect(text).toContain('log portparty {');
  });

  it.each([
    ['import sites/*.caddy', 'sites/*.caddy'],
    [':80 {\n\thandle {\n\t\timport common.caddy\n\t}\n}', 'common.caddy'],
    [':80 {\n\tskip_log /health\n}', 'skip_log /health'],
    [':80 {\n\treverse_proxy {{backends}} {\n\t\theader_up -X-Request-Id\n\t}\n}', 'header_up -X-Request-Id'],
  ])('says what of %o is not seen', (text, words) => {
    expect(adapt(`${text}\n`)).toMatchObject({ reducedAttribution: expect.stringContaining(words) });
  });
});
