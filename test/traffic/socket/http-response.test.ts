/** The parser of the socket engine: what a response says and where it ends, however its bytes come, and whatever they are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ParseResult, responseParser } from '../../../src/traffic/socket/http-response.js';
import { cut, pieceSizes, validResponse } from './responses.js';

const NAMES = ['needMore', 'complete', 'malformed'] as const;

/** What the parser makes of pieces that come one after another, and of the end behind them where there is one. */
function parse(pieces: Buffer[], { toHead = false, ended = false } = {}) {
  const parser = responseParser();
  parser.reset(toHead);
  let result: ParseResult = ParseResult.needMore;
  let taken = 0;
  for (const piece of pieces) {
    if (result !== ParseResult.needMore) break;
    // As in the engine: somewhere in a buffer that holds other bytes as well.
    const buffer = Buffer.concat([Buffer.from('\r\n\r\n'), piece, Buffer.from('5\r\n\r\n')]);
    result = parser.feed(buffer, 4, 4 + piece.length);
    taken += piece.length;
  }
  if (result === ParseResult.needMore && ended) result = parser.end();
  const { status, keepAlive, cookies } = parser;
  return { result: NAMES[result], status, keepAlive, cookies, taken };
}

const parseText = (text: string, options = {}) => parse([Buffer.from(text, 'latin1')], options);

/** Bytes that have been changed here and there. */
const damaged = fc
  .tuple(
    validResponse,
    fc.array(
      fc.record({
        at: fc.nat(),
        remove: fc.integer({ min: 0, max: 4 }),
        insert: fc.oneof(
          fc.constantFrom(
            '\r',
            '\n',
            '\r\n',
            '\r\n\r\n',
            ' ',
            ':',
            ';',
            ',',
            '\0',
            '0',
            'f',
            'chunked',
            '-1',
            '99999999999999999',
          ),
          fc.uint8Array({ maxLength: 3 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
        ),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  )
  .map(([response, changes]) => {
    let text = response.bytes.toString('latin1');
    for (const { at, remove, insert } of changes) {
      const position = at % (text.length + 1);
      text = text.slice(0, position) + insert + text.slice(position + remove);
    }
    return Buffer.from(text, 'latin1');
  });

describe('a valid response', () => {
  it('is whole with its last byte and not before, and says the same, however it is cut', () => {
    fc.assert(
      fc.property(validResponse, pieceSizes, (response, sizes) => {
        const { bytes, status, keepAlive, cookies, untilClose, toHead } = response;
        const said = { status, keepAlive, cookies };
        const whole = { result: 'complete', ...said, taken: bytes.length };
        expect(parse(cut(bytes, sizes), { toHead, ended: untilClose })).toEqual(whole);
        if (!untilClose) expect(parse([bytes.subarray(0, -1)], { toHead }).result).toBe('needMore');
      }),
      { numRuns: 500 },
    );
  });

  it('is the same cut in two at each of its bytes', () => {
    fc.assert(
      fc.property(validResponse, ({ bytes, toHead, untilClose }) => {
        const options = { toHead, ended: untilClose };
        const inOnePiece = parse([bytes], options);
        for (let at = 1; at < bytes.length; at++)
          expect(parse([bytes.subarray(0, at), bytes.subarray(at)], options)).toEqual(inOnePiece);
      }),
      { numRuns: 50 },
    );
  });

  it('that ends early is never whole, unless it lasts until the end', () => {
    fc.assert(
      fc.property(validResponse, pieceSizes, fc.nat(), ({ bytes, toHead, untilClose, bodyStart }, sizes, at) => {
        const length = at % bytes.length;
        const { result } = parse(cut(bytes.subarray(0, length), sizes), { toHead, ended: true });
        expect(result).toBe(untilClose && length >= bodyStart ? 'complete' : 'malformed');
      }),
      { numRuns: 500 },
    );
  });

  it('leaves nothing behind for the next one on the same connection', () => {
    fc.assert(
      fc.property(fc.array(validResponse, { minLength: 2, maxLength: 4 }), (responses) => {
        const parser = responseParser();
        for (const { bytes, toHead, untilClose, status, keepAlive, cookies } of responses) {
          parser.reset(toHead);
          const result = parser.feed(bytes, 0, bytes.length);
          expect(untilClose ? parser.end() : result).toBe(ParseResult.complete);
          expect(parser).toMatchObject({ status, keepAlive, cookies });
        }
      }),
      { numRuns: 100 },
    );
  });
});

describe('anything else', () => {
  it('has an outcome, and the same however it is cut', () => {
    fc.assert(
      fc.property(damaged, pieceSizes, fc.boolean(), (bytes, sizes, toHead) => {
        const outcome = (pieces: Buffer[]) => {
          const { result, status, cookies } = parse(pieces, { toHead, ended: true });
          return result === 'complete' ? { result, status, cookies } : { result };
        };
        expect(outcome(cut(bytes, sizes))).toEqual(outcome([bytes]));
      }),
      { numRuns: 2000 },
    );
  });

  it('is refused at its first wrong byte where it is not HTTP at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 64 }), pieceSizes, (noise, sizes) => {
        const bytes = Buffer.from(noise);
        const agrees = [...'HTTP/1.'].findIndex((letter, index) => bytes[index] !== letter.charCodeAt(0));
        fc.pre(agrees >= 0 && agrees < bytes.length);
        const { result, taken } = parse(cut(bytes, sizes));
        expect(result).toBe('malformed');
        if (sizes[0] === 1 && sizes.length === 1) expect(taken).toBe(agrees + 1);
      }),
    );
  });

  const OK = 'HTTP/1.1 200 OK\r\n';
  const CHUNKED = `${OK}Transfer-Encoding: chunked\r\n\r\n`;

  it.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['HTTP/2', 'HTTP/2.0 200 OK\r\n\r\n'],
    ['a status that is no number', 'HTTP/1.1 1e2 OK\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a switch to a protocol that nobody asked for', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'],
    ['lines that end in LF alone', 'HTTP/1.1 200 OK\nContent-Length: 0\n\n'],
    ['a lone CR in a value', `${OK}A: b\rContent-Length: 3\r\n\r\n`],
    ['a NUL in a value', `${OK}A: b\0c\r\n\r\n`],
    ['a line without a colon', `${OK}nonsense\r\n\r\n`],
    ['a blank before the colon', `${OK}Content-Length : 5\r\n\r\n`],
    ['a field without a name', `${OK}: 5\r\n\r\n`],
    ['a folded line before the first field', `${OK} A: b\r\n\r\n`],
    ['two lengths', `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`],
    ['two lengths in a list', `${OK}Content-Length: 5, 6\r\n\r\n`],
    ['a negative length', `${OK}Content-Length: -1\r\n\r\n`],
    ['a signed length', `${OK}Content-Length: +5\r\n\r\n`],
    ['a length that is no number', `${OK}Content-Length: 0x10\r\n\r\n`],
    ['an empty length', `${OK}Content-Length:\r\n\r\n`],
    ['a length with an empty element', `${OK}Content-Length: 5,\r\n\r\n`],
    ['a length that cannot be counted', `${OK}Content-Length: 9007199254740992\r\n\r\n`],
    ['a length of a thousand digits', `${OK}Content-Length: ${'9'.repeat(1000)}\r\n\r\n`],
    ['chunks twice', `${OK}Transfer-Encoding: chunked, chunked\r\n\r\n`],
    ['chunks inside another coding', `${OK}Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n`],
    ['a chunk size that is no number', `${CHUNKED}xyz\r\n`],
    ['a chunk size with a prefix', `${CHUNKED}0x5\r\n`],
    ['a negative chunk size', `${CHUNKED}-5\r\n`],
    ['an empty chunk size', `${CHUNKED}\r\n`],
    ['a chunk size that cannot be counted', `${CHUNKED}20000000000000\r\n`],
    ['a chunk size with something behind it', `${CHUNKED}5 6\r\n`],
    ['a chunk line that ends in LF alone', `${CHUNKED}5\n`],
    ['a chunk extension with a lone LF', `${CHUNKED}5;a\n`],
    ['a chunk extension with a lone CR', `${CHUNKED}5;a\rb\r\n`],
    ['a chunk longer than its size', `${CHUNKED}5\r\nhello!\r\n`],
    ['a chunk that ends in CR alone', `${CHUNKED}5\r\nhello\rx`],
    ['a trailer that is no field', `${CHUNKED}0\r\nnonsense\r\n\r\n`],
    ['a trailer that ends in LF alone', `${CHUNKED}0\r\nA: b\n\n`],
  ])('%s is malformed', (_, text) => {
    expect(parseText(text).result).toBe('malformed');
    expect(parse(cut(Buffer.from(text, 'latin1'), [1])).result).toBe('malformed');
  });

  it.each([
    ['the head', 'HTTP/1.1 200 OK\r\n', 'A: b\r\n', 65_536],
    ['one field', 'HTTP/1.1 200 OK\r\nA:', 'x', 65_536],
    ['the reason', 'HTTP/1.1 200 ', 'x', 65_536],
    ['the trailer', `${CHUNKED}0\r\n`, 'A: b\r\n', 65_536],
    ['the digits of a chunk size', CHUNKED, '0', 16_384],
    ['a chunk extension', `${CHUNKED}5;`, 'x', 16_384],
    ['the blanks behind a chunk size', `${CHUNKED}5`, ' ', 16_384],
  ])('%s may not grow without end', (_, beginning, more, limit) => {
    const parser = responseParser();
    const begin = Buffer.from(beginning);
    expect(parser.feed(begin, 0, begin.length)).toBe(ParseResult.needMore);
    const piece = Buffer.from(more);
    let fed = begin.length;
    while (fed <= limit + 100 && parser.feed(piece, 0, piece.length) === ParseResult.needMore) fed += piece.length;
    expect(fed).toBeLessThan(limit + 100);
    expect(fed).toBeGreaterThan(limit - 100);
    // In one piece with all the rest it is the same.
    expect(parseText(beginning + more.repeat(limit + 1)).result).toBe('malformed');
  });
});

describe('the end of a response', () => {
  const OK = 'HTTP/1.1 200 OK\r\n';

  it.each([
    ['a length', `${OK}Content-Length: 5\r\n\r\nhello`, true],
    ['a length of 0', `${OK}Content-Length: 0\r\n\r\n`, true],
    ['the same length twice', `${OK}Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello`, true],
    ['the same length in a list', `${OK}Content-Length: 5, 5\r\n\r\nhello`, true],
    ['no reason', 'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n', true],
    ['a minor version that is not known yet', 'HTTP/1.2 200 OK\r\nContent-Length: 0\r\n\r\n', true],
    ['HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n', false],
    ['HTTP/1.0 with keep-alive', 'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n', true],
    ['close beside keep-alive', `${OK}Connection: keep-alive\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, false],
    ['an option that only contains the word', `${OK}Connection: not-close\r\nContent-Length: 0\r\n\r\n`, true],
    ['blanks in a chunk extension', `${OK}Transfer-Encoding: chunked\r\n\r\n1 ; a = b\r\nx\r\n0\r\n\r\n`, true],
    ['blanks behind a chunk size', `${OK}Transfer-Encoding: chunked\r\n\r\n5  \r\nhello\r\n0\r\n\r\n`, true],
    [
      'chunks beside a length',
      `${OK}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`,
      false,
    ],
    [
      'chunks of HTTP/1.0',
      'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      false,
    ],
    ['chunks over another coding', `${OK}Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, true],
    ['a folded length', `${OK}A: b\r\n c\r\nContent-Length:\r\n\t0\r\n\r\n`, true],
    ['more bytes than its own', `${OK}Content-Length: 2\r\n\r\nhello`, false],
  ])('%s', (_, text, keepAlive) => {
    expect(parseText(text)).toMatchObject({ result: 'complete', keepAlive });
  });

  it('of an unknown coding, or of a length under one, is that of the connection', () => {
    for (const text of [
      `${OK}Transfer-Encoding: gzip\r\n\r\nhello`,
      `${OK}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
      `${OK}Content-Length: 2\r\nTransfer-Encoding: gzip\r\n\r\nhello`,
    ]) {
      expect(parseText(text)).toMatchObject({ result: 'needMore', keepAlive: false });
      expect(parseText(text, { ended: true })).toMatchObject({ result: 'complete', status: 200 });
    }
  });

  it('is counted to the largest number there is', () => {
    const parser = responseParser();
    const text = Buffer.from(`${OK}Content-Length: 9007199254740991\r\n\r\nbody`);
    expect(parser.feed(text, 0, text.length)).toBe(ParseResult.needMore);
    expect(parser.end()).toBe(ParseResult.malformed);
  });

  it('an interim response says nothing of the final one', () => {
    const text = `HTTP/1.1 103 Early Hints\r\nConnection: close\r\nSet-Cookie: a=b\r\nContent-Length: 7\r\n\r\n${OK}Content-Length: 0\r\n\r\n`;
    expect(parseText(text)).toMatchObject({ result: 'complete', status: 200, keepAlive: true, cookies: undefined });
  });
});
