/** The bytes of a request are those of its parts, whatever was written before. */
import { describe, expect, it } from 'vitest';
import { requestId } from '../../src/traffic/engine.js';
import { requestPieces, requestWriter } from '../../src/traffic/socket/request-text.js';
import { BUY, plan } from './fixture.js';

const target = { host: 'shop', address: '198.18.0.9', port: 80 };
const viaProxy = { host: 'proxy', address: '198.18.0.3', port: 3128, origin: '198.18.0.9:80' };
const steps = [...BUY, { name: 'note', method: 'POST' as const, path: '/note', body: '{"a":1}' }];
const traffic = plan(80, 1, 1, { steps, idPrefix: '2.13', clients: [{ host: 'a', netns: null, targets: [target] }] });
const [[pieces]] = requestPieces(traffic, false);
const writer = requestWriter();
const room = Buffer.alloc(16_384);

function textOf(step: number, visitor: number, tryIndex: number, cookies?: string, from = pieces): string {
  const length = writer.write(room, from[step], visitor, tryIndex, cookies);
  return writer.bytes.toString('latin1', 0, length);
}

describe('a request', () => {
  it('of a GET', () => {
    expect(textOf(0, 1207, 0)).toBe('GET /event HTTP/1.1\r\nHost: 198.18.0.9\r\nX-Request-Id: 2.13.1207.0\r\n\r\n');
  });

  it('of a POST with a body and cookies, tried again', () => {
    expect(textOf(3, 0, 2, 'sid=abc; node=1')).toBe(
      'POST /note HTTP/1.1\r\nHost: 198.18.0.9\r\nX-Request-Id: 2.13.0.3.2\r\nCookie: sid=abc; node=1\r\n' +
        'Content-Length: 7\r\n\r\n{"a":1}',
    );
  });

  it('that asks a forward proxy, and the server to close', () => {
    const [[own, proxied]] = requestPieces(
      { ...traffic, clients: [{ ...traffic.clients[0], targets: [target, viaProxy] }] },
      true,
    );
    expect(textOf(0, 5, 0, undefined, proxied)).toBe(
      'GET http://198.18.0.9:80/event HTTP/1.1\r\nHost: 198.18.0.9:80\r\nX-Request-Id: 2.13.5.0\r\nConnection: close\r\n\r\n',
    );
    expect(textOf(1, 5, 0, undefined, own)).toBe(
      'POST /seats HTTP/1.1\r\nHost: 198.18.0.9\r\nX-Request-Id: 2.13.5.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
    );
  });

  it('carries the id that everyone else makes of visitor, step and try', () => {
    for (const visitor of [0, 9, 10, 99, 100, 12_345, 19_999_999, 2 ** 31])
      for (const tryIndex of [0, 1, 9, 10, 254])
        expect(textOf(1, visitor, tryIndex)).toContain(`X-Request-Id: ${requestId('2.13', visitor, 1, tryIndex)}\r\n`);
  });

  it('has room for more cookies than any server should set', () => {
    const cookies = `sid=${'x'.repeat(100_000)}`;
    expect(textOf(0, 1, 0, cookies)).toContain(`Cookie: ${cookies}\r\n\r\n`);
    expect(textOf(0, 1, 0)).not.toContain('Cookie');
  });
});
