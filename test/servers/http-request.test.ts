import { describe, expect, it } from 'vitest';
import {
  type BadRequest,
  type HttpRequest,
  MAX_BODY_BYTES,
  MAX_HEAD_BYTES,
  MAX_WAITING_BYTES,
  requestParser,
} from '../../src/servers/http-request.js';
import { randomNumbers } from './random-numbers.js';

function parse(...pieces: string[]): (HttpRequest | BadRequest)[] {
  const parser = requestParser();
  const parsed: (HttpRequest | BadRequest)[] = [];
  for (const piece of pieces) {
    parser.feed(piece);
    for (let next = parser.next(); next !== undefined; next = parser.next()) parsed.push(next);
  }
  return parsed;
}

const badStatus = (text: string) => parse(text).map((parsed) => ('badStatus' in parsed ? parsed.badStatus : 'good'));

const GET = 'GET /event?x=1 HTTP/1.1\r\nHost: a\r\nX-REQUEST-ID: r.1.0\r\nCookie: session=s\r\n\r\n';
const POST = 'POST /seats HTTP/1.1\r\nhost: a\r\ncontent-LENGTH:  5 \r\n\r\nhello';

describe('a request', () => {
  it('is read whole: method, path without query, headers in any case, id', () => {
    const [request] = parse(GET) as HttpRequest[];
    expect(request).toMatchObject({ method: 'GET', path: '/event', id: 'r.1.0', body: '', keepAlive: true });
    expect(request.headers.get('cookie')).toBe('session=s');
  });

  it('is read with its body, and the next one behind it', () => {
    expect(parse(POST + GET)).toMatchObject([
      { method: 'POST', body: 'hello' },
      { method: 'GET', path: '/event' },
    ]);
  });

  it('is not read before its last byte', () => {
    for (let length = 0; length < POST.length; length++) expect(parse(POST.slice(0, length))).toEqual([]);
  });

  it.each([
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: close\r\n', false],
    ['HTTP/1.1', 'Connection: Upgrade, CLOSE\r\n', false],
    ['HTTP/1.1', 'Connection: closest\r\n', true],
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: Keep-Alive\r\n', true],
    ['HTTP/1.0', 'Connection: keep-alive\r\nConnection: close\r\n', false],
  ])('over %s with "%s" asks for keep-alive: %s', (version, header, keepAlive) => {
    expect(parse(`GET / ${version}\r\n${header}\r\n`)).toMatchObject([{ keepAlive }]);
  });
});

describe('a request that cannot be served', () => {
  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['a control character in its target', 'GET /\x01 HTTP/1.1\r\n\r\n', 400],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost\r\n\r\n', 400],
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost : a\r\n\r\n', 400],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n', 400],
    ['a bare line feed in a value', 'GET / HTTP/1.1\r\nHost: a\nX: b\r\n\r\n', 400],
    ['a length that is no number', 'POST / HTTP/1.1\r\nContent-Length: 0x5\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n', 400],
    ['a chunked body', 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n', 411],
    ['another protocol version', 'GET / HTTP/2.0\r\n\r\n', 505],
    ['too long a body', `POST / HTTP/1.1\r\nContent-Length: ${MAX_BODY_BYTES + 1}\r\n\r\n`, 413],
    ['too long a head', `GET / HTTP/1.1\r\nX: ${'x'.repeat(MAX_HEAD_BYTES)}\r\n\r\n`, 431],
    ['an endless head', 'x'.repeat(MAX_HEAD_BYTES + 1), 431],
  ])('is refused for %s, and nothing behind it is read', (_what, text, status) => {
    expect(badStatus(text + GET)).toEqual([status]);
  });

  it('is refused when far too much is sent ahead', () => {
    const parser = requestParser();
    parser.feed('x'.repeat(MAX_WAITING_BYTES + 1));
    expect(parser.next()).toMatchObject({ badStatus: 413 });
    expect(parser.next()).toBeUndefined();
  });

  it('may be as long as the limits', () => {
    const head = 'POST / HTTP/1.1\r\nContent-Length: 65536\r\nX: ';
    const text = `${head}${'x'.repeat(MAX_HEAD_BYTES - head.length)}\r\n\r\n${'b'.repeat(MAX_BODY_BYTES)}`;
    expect(parse(text)).toMatchObject([{ body: 'b'.repeat(MAX_BODY_BYTES) }]);
  });
});

describe('however the bytes are cut', () => {
  it('the same requests are read', () => {
    const random = randomNumbers(7);
    for (let round = 0; round < 300; round++) {
      const text = Array.from({ length: 1 + random(5) }, () => [GET, POST, `\r\n${GET}`][random(3)]).join('');
      const pieces: string[] = [];
      for (let at = 0; at < text.length; ) {
        const length = 1 + random(random(2) === 0 ? 3 : 60);
        pieces.push(text.slice(at, at + length));
        at += length;
      }
      expect(parse(...pieces)).toEqual(parse(text));
    }
  });

  it('and whichever bytes are wrong, it reads requests or refuses, once and for all', () => {
    const random = randomNumbers(11);
    let refused = 0;
    for (let round = 0; round < 3000; round++) {
      const bytes = [...(GET + POST + GET)];
      for (let change = 0; change <= random(4); change++) {
        bytes[random(bytes.length)] = String.fromCharCode(random(256));
      }
      const parsed = parse(...bytes.join('').match(/[\s\S]{1,17}/g)!);
      const bad = parsed.findIndex((one) => 'badStatus' in one);
      if (bad >= 0) {
        refused++;
        expect(bad).toBe(parsed.length - 1);
      }
      expect(parsed.length).toBeLessThanOrEqual(4);
    }
    expect(refused).toBeGreaterThan(500);
  });
});
