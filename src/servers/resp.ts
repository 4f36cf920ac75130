/**
 * RESP, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/), version 2: commands to text,
 * and received bytes to values.
 */

/** What Redis answers. */
export type RespValue = string | number | null | RespError | RespValue[];

/** An error reply, in Redis' own words: its first word tells the kind (`ERR`, `NOSCRIPT`, `OOM`). */
export interface RespError {
  error: string;
}

/** Whether a value is an error reply. */
export const isRespError = (value: RespValue): value is RespError =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A command and its arguments as an array of bulk strings. */
export function encodeCommand(words: string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/** Values out of received bytes, in the order of their commands. */
export interface RespParser {
  /** Takes received bytes, one character per byte (latin1). */
  feed(bytes: string): void;
  /** The next whole value; undefined while it is not all there. Throws a SyntaxError on what is not RESP. */
  next(): RespValue | undefined;
}

/** A parser for one connection; values may arrive in any pieces. */
export function respParser(): RespParser {
  let text = '';

  /** The value that begins at `at`, and where it ends. */
  function valueAt(at: number): { value: RespValue; end: number } | undefined {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const rest = text.slice(at + 1, lineEnd);
    const end = lineEnd + 2;
    switch (text[at]) {
      case '+':
        return { value: utf8(rest), end };
      case '-':
        return { value: { error: utf8(rest) }, end };
      case ':':
        return { value: integer(rest), end };
      case '$':
        return bulkAt(end, integer(rest));
      case '*':
        return arrayAt(end, integer(rest));
      default:
        throw new SyntaxError(`no RESP value begins with ${JSON.stringify(text[at])}`);
    }
  }

  function bulkAt(at: number, length: number): { value: RespValue; end: number } | undefined {
    if (length < 0) return { value: null, end: at };
    const end = at + length;
    if (text.length < end + 2) return undefined;
    if (text.slice(end, end + 2) !== '\r\n') throw new SyntaxError('a bulk string of another length than it says');
    return { value: utf8(text.slice(at, end)), end: end + 2 };
  }

  function arrayAt(at: number, length: number): { value: RespValue; end: number } | undefined {
    if (length < 0) return { value: null, end: at };
    const items: RespValue[] = [];
    let end = at;
    while (items.length < length) {
      const item = valueAt(end);
      if (item === undefined) return undefined;
      items.push(item.value);
      end = item.end;
    }
    return { value: items, end };
  }

  return {
    feed(bytes) {
      text += bytes;
    },
    next() {
      if (text === '') return undefined;
      const found = valueAt(0);
      if (found === undefined) return undefined;
      text = text.slice(found.end);
      return found.value;
    },
  };
}

const utf8 = (bytes: string) => Buffer.from(bytes, 'latin1').toString('utf8');

function integer(digits: string): number {
  if (!/^-?\d+$/.test(digits)) throw new SyntaxError(`${JSON.stringify(digits)} is no whole number`);
  return Number(digits);
}
