/**
 * An incremental parser of HTTP/1.x responses (RFC 9112): fed bytes as they come, it says when one response is whole.
 *
 *     head -> (1xx: head again) -> no body, so many bytes, chunks and a trailer, or all until the close
 *
 * It keeps at most one head or trailer section, and of a body nothing. The way the bytes are cut makes no difference to it.
 */
import { isTrailer, type ResponseHead, readHead } from './http-head.js';
import { beginsWith, type KnownHead, keepHead, knownHead } from './known-head.js';

/** Longest head, and longest trailer section, that is accepted, bytes; nginx and Node stop at 8 to 16 KiB. */
const MAX_SECTION_BYTES = 65_536;
/** Longest line of a chunk's size with its extensions, bytes. */
const MAX_CHUNK_LINE_BYTES = 16_384;
/** How much becomes text at a time while a section's end is looked for: a body behind a head does not. */
const PIECE_BYTES = 2048;

/** How each head begins. */
const PREFIX = 'HTTP/1.';
const LINE_END = '\r\n';
const SECTION_END = '\r\n\r\n';
/** As much of a section's end as can have come without being one. */
const MAX_TAIL = SECTION_END.length - 1;
const LONE_LINE_FEED = /[^\r]\n/;
/** What `collect` returns in place of a position. */
const NOT_WHOLE = -1;
const NEVER_WHOLE = -2;

const SWITCHING_PROTOCOLS = 101;
const NO_CONTENT = 204;
const NOT_MODIFIED = 304;
const CR = 13;
const LF = 10;
const SPACE = 32;
const TAB = 9;
const SEMICOLON = 59;

const NO_DIGIT = 255;
/** Value of each byte as a hexadecimal digit. */
const HEX_DIGIT = new Uint8Array(256).fill(NO_DIGIT);
for (const [value, letters] of [...'0123456789', 'aA', 'bB', 'cC', 'dD', 'eE', 'fF'].entries())
  for (const letter of letters) HEX_DIGIT[letter.charCodeAt(0)] = value;

/** Where a response stands after the bytes so far. */
export const ParseResult = { needMore: 0, complete: 1, malformed: 2 } as const;
/** One of these numbers. */
export type ParseResult = (typeof ParseResult)[keyof typeof ParseResult];

/** What the next byte belongs to; `done`: to no part of this response. */
type Place =
  | 'head'
  | 'sized'
  | 'until-close'
  | 'chunk-size'
  | 'chunk-padding'
  | 'chunk-extension'
  | 'chunk-line-feed'
  | 'chunk-data'
  | 'chunk-data-return'
  | 'chunk-data-line-feed'
  | 'trailer'
  | 'done';

/** State of one response on its way in. `complete` and `malformed` end it: `reset` comes before anything else is fed. */
export interface ResponseParser {
  /** Status code of the final response; 0 before its head has come. */
  status: number;
  /** False when the connection cannot carry another request: the server closes it, or has sent more than the response. */
  keepAlive: boolean;
  /** `name=value` of each Set-Cookie; undefined when there is none. */
  cookies: string[] | undefined;
  /** Takes bytes `from`..`to`. */
  feed(bytes: Buffer, from: number, to: number): ParseResult;
  /** The connection has ended: whole only if the body lasts until the close. */
  end(): ParseResult;
  /** Makes it ready for the next response; one to a HEAD has no body, whatever its head says. */
  reset(toHead?: boolean): void;
}

/**
 * A parser for one connection, ready for its first response; `reset` comes before each further one.
 * @param known the head that the parsers of a thread have read last
 */
export function responseParser(known: KnownHead = knownHead()): ResponseParser {
  const head: ResponseHead = { status: 0, keepAlive: true, length: -1, coding: 'none', cookies: undefined };
  let place: Place = 'head';
  let bodiless = false;
  /** The head or trailer section so far, and its last three characters: its end may come in pieces. */
  let section = '';
  let tail = '';
  /** Bytes that are still to come of the body or the chunk; in a chunk's line the size that its digits make so far. */
  let remaining = 0;
  let digits = 0;
  let lineBytes = 0;

  const parser: ResponseParser = {
    status: 0,
    keepAlive: true,
    cookies: undefined,

    feed(bytes, from, to) {
      let position = from;
      while (position < to) {
        if (place === 'head' && section === '' && beginsWith(known, bytes, position, to)) {
          position += known.length;
          startBody(known.head);
        } else if (place === 'head' || place === 'trailer') {
          // A head that comes in pieces is not known whole.
          const start = place === 'head' && section === '' ? position : to;
          position = collect(bytes, position, to);
          if (position === NOT_WHOLE) return ParseResult.needMore;
          if (position === NEVER_WHOLE || !readSection()) return ParseResult.malformed;
          if (start < position && place !== 'head') keepHead(known, bytes, start, position, head);
        } else if (place === 'sized' || place === 'chunk-data') {
          const taken = Math.min(remaining, to - position);
          remaining -= taken;
          position += taken;
          if (remaining === 0) place = place === 'sized' ? 'done' : 'chunk-data-return';
        } else if (place === 'until-close') return ParseResult.needMore;
        else if (!takeByteOfChunk(bytes[position++])) return ParseResult.malformed;
        if (place === 'done') {
          // What comes behind a response is no response to the next request (§6.3).
          if (position < to) parser.keepAlive = false;
          return ParseResult.complete;
        }
      }
      return ParseResult.needMore;
    },

    end: () => (place === 'until-close' ? ParseResult.complete : ParseResult.malformed),

    reset(toHead = false) {
      place = 'head';
      bodiless = toHead;
      section = '';
      tail = '';
      parser.status = 0;
      parser.keepAlive = true;
      parser.cookies = undefined;
    },
  };

  /** Adds to the section up to its empty line. Returns the position behind that, or a negative number. */
  function collect(bytes: Buffer, from: number, to: number): number {
    for (let position = from; position < to; position += PIECE_BYTES) {
      const piece = bytes.toString('latin1', position, Math.min(to, position + PIECE_BYTES));
      const known = section.length - tail.length;
      const latest = tail + piece;
      const end = latest.indexOf(SECTION_END);
      section += piece;
      if (end >= 0) {
        const behind = position + end + SECTION_END.length - tail.length;
        section = section.slice(0, known + end);
        return section.length > MAX_SECTION_BYTES ? NEVER_WHOLE : behind;
      }
      if (section.length - MAX_TAIL > MAX_SECTION_BYTES || LONE_LINE_FEED.test(latest)) return NEVER_WHOLE;
      // Whoever speaks another protocol may wait for an answer of ours.
      if (place === 'head' && section.length - piece.length < PREFIX.length) {
        if (!section.startsWith(PREFIX.slice(0, section.length))) return NEVER_WHOLE;
      }
      tail = latest.slice(-MAX_TAIL);
    }
    return NOT_WHOLE;
  }

  /** Reads the section that has come, and says where its response goes on; false when it cannot. */
  function readSection(): boolean {
    const text = section;
    const ofHead = place === 'head';
    section = '';
    tail = '';
    if (!ofHead) {
      place = 'done';
      return isTrailer(text);
    }
    if (!readHead(text, head) || head.status === SWITCHING_PROTOCOLS) return false;
    // An interim response (100, 103) has no body, and is followed by the final one.
    if (head.status < 200) return true;
    startBody(head);
    return true;
  }

  /** Takes over what a final head says, and how the end of its body is told (§6.3). */
  function startBody({ status, keepAlive, cookies, coding, length }: ResponseHead): void {
    parser.status = status;
    parser.keepAlive = keepAlive;
    parser.cookies = cookies;
    remaining = 0;
    if (bodiless || status === NO_CONTENT || status === NOT_MODIFIED) place = 'done';
    else if (coding === 'chunked') startChunk();
    else if (coding === 'none' && length >= 0) {
      remaining = length;
      place = remaining === 0 ? 'done' : 'sized';
    } else {
      parser.keepAlive = false;
      place = 'until-close';
    }
  }

  function startChunk(): void {
    place = 'chunk-size';
    digits = 0;
    lineBytes = 0;
  }

  /** Takes a byte of a chunk beside its data (§7.1); false when it does not belong there. */
  function takeByteOfChunk(byte: number): boolean {
    if (++lineBytes > MAX_CHUNK_LINE_BYTES) return false;
    switch (place) {
      case 'chunk-size': {
        const digit = HEX_DIGIT[byte];
        if (digit === NO_DIGIT) return digits > 0 && takeByteBehindSize(byte);
        digits++;
        remaining = remaining * 16 + digit;
        return remaining <= Number.MAX_SAFE_INTEGER;
      }
      case 'chunk-padding':
        return takeByteBehindSize(byte);
      case 'chunk-extension':
        if (byte === CR) place = 'chunk-line-feed';
        return byte !== LF;
      case 'chunk-line-feed':
        if (remaining > 0) place = 'chunk-data';
        else {
          place = 'trailer';
          section = LINE_END;
          tail = LINE_END;
        }
        return byte === LF;
      case 'chunk-data-return':
        place = 'chunk-data-line-feed';
        return byte === CR;
      default:
        startChunk();
        return byte === LF;
    }
  }

  /** Some servers fill the line up with spaces. */
  function takeByteBehindSize(byte: number): boolean {
    if (byte === CR) place = 'chunk-line-feed';
    else if (byte === SEMICOLON) place = 'chunk-extension';
    else {
      place = 'chunk-padding';
      return byte === SPACE || byte === TAB;
    }
    return true;
  }

  return parser;
}
