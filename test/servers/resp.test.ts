import { describe, expect, it } from 'vitest';
import { encodeCommand, type RespValue, respParser } from '../../src/servers/resp.js';

describe('a command', () => {
  it('is an array of bulk strings, measured in bytes', () => {
    expect(encodeCommand(['SET', 'k', 'Grüße'])).toBe('*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$7\r\nGrüße\r\n');
  });
});

const STREAM =
  '+OK\r\n-ERR no such thing\r\n:-42\r\n$5\r\nab\r\nc\r\n$0\r\n\r\n$-1\r\n*-1\r\n*2\r\n:1\r\n*1\r\n+x\r\n$7\r\nGr\xc3\xbc\xc3\x9fe\r\n';
const VALUES: RespValue[] = ['OK', { error: 'ERR no such thing' }, -42, 'ab\r\nc', '', null, null, [1, ['x']], 'Grüße'];

function allOf(pieces: string[]): RespValue[] {
  const parser = respParser();
  const values: RespValue[] = [];
  for (const piece of pieces) {
    parser.feed(piece);
    for (let value = parser.next(); value !== undefined; value = parser.next()) values.push(value);
  }
  return values;
}

describe('what is received', () => {
  it('is read to the same values however it is cut', () => {
    expect(allOf([STREAM])).toEqual(VALUES);
    expect(allOf([...STREAM])).toEqual(VALUES);
    for (let cut = 1; cut < STREAM.length; cut++)
      expect(allOf([STREAM.slice(0, cut), STREAM.slice(cut)])).toEqual(VALUES);
  });

  it.each(['HTTP/1.1 400 Bad Request\r\n', ':1x\r\n', '$2\r\nabc\r\n'])(
    'is refused where it is not RESP: %j',
    (text) => {
      expect(() => allOf([text])).toThrow(SyntaxError);
    },
  );
});
