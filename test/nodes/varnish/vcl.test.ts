import { describe, expect, it } from 'vitest';
import { adaptVcl } from '../../../src/nodes/varnish/user-vcl.js';
import { renderVcl } from '../../../src/nodes/varnish/vcl.js';
import { varnish } from '../../../src/nodes/varnish.js';

const BACKENDS = ['198.18.1.2', '198.18.1.3'].map((address) => ({ host: 'shop', address, port: 8080 }));

const spec = (knobs: object = {}) => varnish.knobs.parse({ to: 'shop', ...knobs });
const rendered = (knobs: object = {}) => renderVcl(spec(knobs), BACKENDS);

describe('the rendered VCL', () => {
  it('takes turns among the backends, and passes everything on a new connection', () => {
    const vcl = rendered();
    expect(vcl).toMatch(/^vcl 4\.1;/);
    expect(vcl).toContain('backend backend1 {\n  .host = "198.18.1.3";\n  .port = "8080";\n}');
    expect(vcl).toContain(
      'new shop = directors.round_robin(); shop.add_backend(backend0); shop.add_backend(backend1);',
    );
    expect(vcl).toContain('set req.backend_hint = shop.backend();\n  return (pass);');
    expect(vcl).toContain('set bereq.http.Connection = "close";');
    expect(rendered({ keepalive: 'unlimited' })).not.toContain('Connection');
  });

  it.each([
    [{ algorithm: 'random' }, 'directors.random(); shop.add_backend(backend0, 1.0);', 'shop.backend();'],
    [{ algorithm: 'fallback' }, 'directors.fallback(); shop.add_backend(backend0);', 'shop.backend();'],
    [{ algorithm: 'hash' }, 'directors.shard(); shop.add_backend(backend0);', 'key = shop.key(client.ip)'],
    [{ sticky: 'consistent-hash' }, 'shop.reconfigure();', 'key = shop.key(client.ip)'],
    [{ sticky: 'source' }, 'directors.hash(); shop.add_backend(backend0, 1.0);', 'shop.backend(client.ip)'],
    [
      { algorithm: 'random', weights: [3, 0] },
      'shop.add_backend(backend0, 3.0); shop.add_backend(backend1, 0.0);',
      'shop.backend();',
    ],
    [
      { sticky: 'source', weights: [3, 1] },
      'directors.hash(); shop.add_backend(backend0, 3.0); shop.add_backend(backend1, 1.0);',
      'shop.backend(client.ip)',
    ],
    [
      { algorithm: 'hash', weights: [3, 1] },
      'shop.add_backend(backend0, weight = 3.0); shop.add_backend(backend1, weight = 1.0); shop.reconfigure();',
      'key = shop.key(client.ip)',
    ],
  ])('has a director for %j', (knobs, init, pick) => {
    expect(rendered(knobs)).toContain(init);
    expect(rendered(knobs)).toContain(pick);
  });

  it('limits, times and probes each backend', () => {
    const vcl = rendered({
      backendConnections: 20,
      connectTimeout: '1500ms',
      responseTimeout: '5s',
      healthCheck: { interval: '500ms', fall: 3, rise: 2 },
    });
    for (const line of [
      '.max_connections = 20;',
      '.connect_timeout = 1.5s;',
      '.first_byte_timeout = 5s;',
      '.between_bytes_timeout = 5s;',
      '.probe = portparty;',
      '.interval = 0.5s;',
      // Down when 3 of the last 4 are bad, up when 2 of them are good.
      '.window = 4;\n  .threshold = 2;\n  .initial = 4;',
    ])
      expect(vcl).toContain(line);
  });

  it('keeps the answers of the paths that it is told to, and nothing that sets a cookie', () => {
    const vcl = rendered({ cache: { ttl: '2500ms', paths: ['/event', '/a.b'] } });
    expect(vcl).toContain('if (req.url !~ "^(/event|/a\\.b)") {\n    return (pass);\n  }');
    expect(vcl).toContain('set beresp.ttl = 2.5s;');
    // What follows a cookie is left to the built-in VCL.
    expect(vcl).not.toContain('Cookie');
    expect(vcl).not.toContain('hash_ignore_busy');
    expect(rendered({ cache: { ttl: '1s', coalesce: false } })).toContain('set req.hash_ignore_busy = true;');
  });

  it('tries again, elsewhere or at the same backend', () => {
    const vcl = rendered({ retries: 2 });
    expect(vcl).toContain('if (bereq.retries < 2 && (bereq.method == "GET" || bereq.method == "HEAD"))');
    expect(vcl).not.toContain('bereq.backend');
    expect(rendered({ retries: 2, redispatch: false })).toContain('set bereq.backend = beresp.backend;');
  });
});

describe("the user's own VCL", () => {
  const adapt = (text: string) => adaptVcl(text, spec({ backendConnections: 3 }), BACKENDS);

  it('gets its placeholders filled', () => {
    const { text, reducedAttribution } = adapt('vcl 4.1;\n{{backends}}\nsub vcl_init { {{add_backends d}} }\n');
    expect(text).toContain('.max_connections = 3;');
    expect(text).toContain('d.add_backend(backend0); d.add_backend(backend1);');
    expect(reducedAttribution).toBeUndefined();
  });

  it('that hides the request’s id or includes a file says so, unless only a comment does', () => {
    expect(adapt('sub vcl_recv { unset req.http.X-Request-Id; }').reducedAttribution).toContain(
      'unset req.http.X-Request-Id',
    );
    expect(adapt('include "other.vcl";').reducedAttribution).toContain('other.vcl');
    expect(adapt('# unset req.http.X-Request-Id\n/* include "x.vcl"; */').reducedAttribution).toBeUndefined();
  });
});
