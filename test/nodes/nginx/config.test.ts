import { describe, expect, it } from 'vitest';
import { serverLines } from '../../../src/nodes/nginx/config.js';
import { sourceMaps } from '../../../src/nodes/nginx/source-addresses.js';
import { adaptConfig } from '../../../src/nodes/nginx/user-config.js';

const FILES = { runDir: '/run/x', accessLog: '/logs/access.log', errorLog: '/logs/error.log', pid: '/run/x/nginx.pid' };
const LISTEN = { host: 'balancer', address: '198.18.0.2', port: 80 };
const BACKENDS = [{ host: 'shop', address: '198.18.1.2', port: 8080 }];

const adapt = (text: string) => adaptConfig(text, { maxFails: 1, failTimeout: 10_000 }, FILES, LISTEN, BACKENDS);

describe("the user's own configuration", () => {
  it('gets its placeholders filled', () => {
    const { text } = adapt('http { upstream shop { {{backends}} } server { listen {{listen}}; } }');
    expect(text).toContain('upstream shop { server 198.18.1.2:8080 max_fails=1 fail_timeout=10s; }');
    expect(text).toContain('listen 198.18.0.2:80;');
  });

  it('writes our access log once at every level and keeps the rest', () => {
    const { text } = adapt(
      'http {\n  access_log /a.log;\n  access_log /b.log mine;\n  gzip on;\n  server { access_log off; }\n}',
    );
    expect(text).not.toContain('access_log off');
    for (const gone of ['/a.log', '/b.log']) expect(text).not.toContain(gone);
    expect(text).toContain('gzip on;');
    expect(text.match(/access_log "\/logs\/access\.log"/g)).toHaveLength(2);
  });

  it('decides user, pid, daemon and error logs itself', () => {
    const { text } = adapt(
      'user www-data;\npid /run/nginx.pid;\nerror_log stderr;\nhttp { error_log /dev/null crit; }',
    );
    for (const gone of ['www-data', '/run/nginx.pid', 'stderr', '/dev/null']) expect(text).not.toContain(gone);
    expect(text).toMatch(/^daemon off;\nuser root;\n/);
  });

  it('is not misled by comments, quotes and variables', () => {
    const { text } = adapt('# user x; http {\nhttp { log_format mine \'{$a;} # user b;\'; set $v "$host;_user c;"; }');
    expect(text).toContain('# user x; http {');
    expect(text).toContain("log_format mine '{$a;} # user b;';");
    expect(text).toContain('set $v "$host;_user c;";');
    expect(text.match(/escape=json/g)).toHaveLength(1);
  });

  it('leaves out log levels that would hide refusals', () => {
    const { text } = adapt('http { limit_req_log_level notice; server { limit_conn_log_level info; } }');
    expect(text).not.toMatch(/_log_level/);
  });

  it('takes relative includes from /etc/nginx, and says which ones may hide logs', () => {
    const plain = adapt('include /etc/nginx/modules-enabled/*.conf; http { include mime.types; }');
    expect(plain.text).toContain('include /etc/nginx/mime.types;');
    expect(plain.reducedAttribution).toBeUndefined();
    expect(adapt('http { include sites/*.conf; }').reducedAttribution).toContain('sites/*.conf');
  });
});

it('each backend has its weight, and one of weight 0 is down', () => {
  const backends = ['2', '3', '4'].map((last) => ({ ...BACKENDS[0], address: `198.18.1.${last}` }));
  expect(serverLines({ maxFails: 1, failTimeout: 10_000, weights: [3, 0, 1] }, backends)).toBe(
    [
      '    server 198.18.1.2:8080 max_fails=1 fail_timeout=10s weight=3;',
      '    server 198.18.1.3:8080 max_fails=1 fail_timeout=10s down;',
      '    server 198.18.1.4:8080 max_fails=1 fail_timeout=10s weight=1;',
    ].join('\n'),
  );
});

describe('the source address of a connection', () => {
  /** What nginx would do with the maps. */
  function sourceOf(maps: string, connection: number): string {
    const tail = new RegExp(/"~(.*?)"/.exec(maps)![1]).exec(String(connection))![1];
    return new RegExp(`[ \\n]${tail} ([\\d.]+);`).exec(maps)![1];
  }

  it.each([
    [2, 1],
    [2, 2],
    [4, 1],
    [3, 2],
    [7, 2],
  ])('takes turns among %i when the numbers run on by %i', (many, step) => {
    const sources = Array.from({ length: many }, (_, index) => `198.18.0.${index + 1}`);
    const maps = sourceMaps(sources);
    const counts = new Map<string, number>();
    for (let n = 0; n < 60 * many; n++) {
      const source = sourceOf(maps, 9_900 + n * step);
      counts.set(source, (counts.get(source) ?? 0) + 1);
    }
    expect(counts.size).toBe(many);
    expect(Math.max(...counts.values()) - Math.min(...counts.values())).toBeLessThanOrEqual(4);
  });
});
