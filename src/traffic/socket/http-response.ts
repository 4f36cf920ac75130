/** An incremental parser of HTTP/1.1 responses (RFC 9112): fed bytes as they come, it says when one response is whole. */

/** Longest header block that is accepted, bytes; nginx and Node stop at 8 to 16 KiB. */
const MAX_HEADER_BYTES = 65_536;

const CR_LF_CR_LF = '\r\n\r\n';

/** Where a response stands after the bytes so far. */
export const ParseResult = { needMore: 0, complete: 1, malformed: 2 } as const;
/** One of these numbers. */
export type ParseResult = (typeof ParseResult)[keyof typeof ParseResult];

type Body = 'none' | 'sized' | 'chunk-size' | 'chunk-data' | 'chunk-end' | 'trailer' | 'until-close';

/** State of one response on its way in. */
export interface ResponseParser {
  status: number;
  /** False when the server will close the connection after this response. */
  keepAlive: boolean;
  /** `name=value` of each Set-Cookie; undefined when there is none. */
  cookies: string[] | undefined;
  /** Takes bytes `from`..`to`. */
  feed(bytes: Buffer, from: number, to: number): ParseResult;
  /** The connection has ended: whole only if the body lasts until the close. */
  end(): ParseResult;
  /** Makes it ready for the next response. */
  reset(): void;
}

/** A parser for one connection, ready for its first response; `reset` comes before each further one. */
export function responseParser(): ResponseParser {
  let head = '';
  let body: Body | undefined;
  let remaining = 0;
  let line = '';

  const parser: ResponseParser = {
    status: 0,
    keepAlive: true,
    cookies: undefined,

    feed(bytes, from, to) {
      let position = from;
      while (body === undefined) {
        const before = head.length;
        head += bytes.toString('latin1', position, to);
        const end = head.indexOf(CR_LF_CR_LF, Math.max(0, before - 3));
        if (end < 0) return head.length > MAX_HEADER_BYTES ? ParseResult.malformed : ParseResult.needMore;
        if (end > MAX_HEADER_BYTES) return ParseResult.malformed;
        position += end + CR_LF_CR_LF.length - before;
        if (!readHead(head.slice(0, end))) return ParseResult.malformed;
        head = '';
        // An interim response (100, 103) is followed by the real one.
        if (parser.status < 200) body = undefined;
      }
      return feedBody(bytes, position, to);
    },

    end: () => (body === 'until-close' ? ParseResult.complete : ParseResult.malformed),

    reset() {
      head = '';
      line = '';
      body = undefined;
      remaining = 0;
      parser.status = 0;
      parser.keepAlive = true;
      parser.cookies = undefined;
    },
  };

  /** Reads status line and headers; false when they are not HTTP. */
  function readHead(text: string): boolean {
    if (!text.startsWith('HTTP/1.')) return false;
    parser.status = Number(text.slice(9, 12));
    if (!(parser.status >= 100 && parser.status <= 999)) return false;
    parser.keepAlive = text[7] === '1';
    let sized = -1;
    let chunked = false;
    let start = text.indexOf('\r\n') + 2;
    while (start > 1) {
      const next = text.indexOf('\r\n', start);
      const end = next < 0 ? text.length : next;
      const colon = text.indexOf(':', start);
      if (colon < 0 || colon > end) return false;
      // Only five headers matter here; telling them by length and letter saves lower-casing all the others.
      const length = colon - start;
      if (length === 14 && named(text, start, colon, 'content-length')) {
        const value = text.slice(colon + 1, end).trim();
        if (!/^\d+$/.test(value) || (sized >= 0 && sized !== Number(value))) return false;
        sized = Number(value);
      } else if (length === 17 && named(text, start, colon, 'transfer-encoding')) {
        chunked = text
          .slice(colon + 1, end)
          .trim()
          .toLowerCase()
          .endsWith('chunked');
      } else if (length === 10 && named(text, start, colon, 'connection')) {
        const value = text.slice(colon + 1, end).toLowerCase();
        if (value.includes('close')) parser.keepAlive = false;
        else if (value.includes('keep-alive')) parser.keepAlive = true;
      } else if (length === 10 && named(text, start, colon, 'set-cookie')) {
        parser.cookies ??= [];
        parser.cookies.push(
          text
            .slice(colon + 1, end)
            .split(';', 1)[0]
            .trim(),
        );
      }
      start = next < 0 ? 0 : next + 2;
    }
    if (parser.status === 204 || parser.status === 304) body = 'none';
    else if (chunked) body = 'chunk-size';
    else if (sized >= 0) {
      body = 'sized';
      remaining = sized;
    } else {
      body = 'until-close';
      parser.keepAlive = false;
    }
    return true;
  }

  function feedBody(bytes: Buffer, from: number, to: number): ParseResult {
    let position = from;
    for (;;) {
      switch (body) {
        case 'none':
          return ParseResult.complete;
        case 'until-close':
          return ParseResult.needMore;
        case 'sized':
          remaining -= Math.min(remaining, to - position);
          return remaining === 0 ? ParseResult.complete : ParseResult.needMore;
        case 'chunk-data': {
          const taken = Math.min(remaining, to - position);
          remaining -= taken;
          position += taken;
          if (remaining > 0) return ParseResult.needMore;
          body = 'chunk-end';
          break;
        }
        default: {
          const end = bytes.indexOf(10, position);
          const whole = end >= 0 && end < to;
          line += bytes.toString('latin1', position, whole ? end + 1 : to);
          if (line.length > MAX_HEADER_BYTES) return ParseResult.malformed;
          if (!whole) return ParseResult.needMore;
          position = end + 1;
          const text = line.trimEnd();
          line = '';
          if (body === 'chunk-end') {
            if (text !== '') return ParseResult.malformed;
            body = 'chunk-size';
          } else if (body === 'trailer') {
            if (text === '') return ParseResult.complete;
          } else {
            const size = text.split(';', 1)[0].trim();
            if (!/^[0-9a-f]{1,12}$/i.test(size)) return ParseResult.malformed;
            remaining = Number.parseInt(size, 16);
            body = remaining === 0 ? 'trailer' : 'chunk-data';
          }
        }
      }
    }
  }

  return parser;
}

/** Whether the header's name at `from`..`to` is `name`, in any case. */
function named(text: string, from: number, to: number, name: string): boolean {
  return text.slice(from, to).toLowerCase() === name;
}
