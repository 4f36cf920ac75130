/** The head of an HTTP/1.x response (RFC 9112): its status, and of its fields what decides where the response ends. */

/** What the last head says that was read into it. */
export interface ResponseHead {
  /** Status code, 100 to 999. */
  status: number;
  /** Whether the server leaves the connection open, as far as its head tells (§9.3). */
  keepAlive: boolean;
  /** Content-Length, bytes; -1 none. */
  length: number;
  /** The last transfer coding: chunked, or one that ends with the connection; `none` without any. */
  coding: 'none' | 'chunked' | 'other';
  /** `name=value` of each Set-Cookie; undefined when there is none. */
  cookies: string[] | undefined;
}

/** A field behind the end of the line before it: a token, a colon, and a value without NUL, CR or LF, which may be folded (§5). */
const FIELD = "\\r\\n[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\\0\\r\\n]*(?:\\r\\n[ \\t][^\\0\\r\\n]*)*";
// Nothing in either can be read in two ways: a test takes no longer than its text is long.
const HEAD = new RegExp(`^HTTP/1\\.\\d [1-9]\\d\\d(?: [^\\0\\r\\n]*)?(?:${FIELD})*$`);
const TRAILER = new RegExp(`^(?:${FIELD})*$`);
const FOLD = /\r\n[ \t]+/g;
const DIGITS = /^[ \t]*\d+[ \t]*$/;

const SPACE = 32;
const TAB = 9;

/**
 * Reads a head without the empty line at its end.
 * Returns false when it is not that of HTTP/1.x, or contradicts itself about the response's end.
 */
export function readHead(text: string, head: ResponseHead): boolean {
  if (!HEAD.test(text)) return false;
  head.status = Number(text.slice(9, 12));
  head.length = -1;
  head.cookies = undefined;
  // A minor version above 1 is read like 1 (RFC 9110 §2.5).
  const isOld = text[7] === '0';
  let close = false;
  let keep = false;
  let codings: string[] | undefined;
  let start = text.indexOf('\r\n') + 2;
  while (start > 1) {
    const first = text.charCodeAt(start);
    if (first === SPACE || first === TAB) return readHead(text.replace(FOLD, ' '), head);
    const next = text.indexOf('\r\n', start);
    const end = next < 0 ? text.length : next;
    const colon = text.indexOf(':', start);
    // Only four fields matter here; telling them by their length first saves lower-casing all the others.
    const length = colon - start;
    if (length === 10 && named(text.slice(start, colon), 'connection')) {
      const value = text.slice(colon + 1, end);
      close ||= lists(value, 'close');
      keep ||= lists(value, 'keep-alive');
    } else if (length === 10 && named(text.slice(start, colon), 'set-cookie')) {
      const [pair] = text.slice(colon + 1, end).split(';', 1);
      head.cookies ??= [];
      head.cookies.push(copied(pair.trim()));
    } else if (length === 14 && named(text.slice(start, colon), 'content-length')) {
      const bytes = lengthOf(text.slice(colon + 1, end));
      if (bytes < 0 || (head.length >= 0 && head.length !== bytes)) return false;
      head.length = bytes;
    } else if (length === 17 && named(text.slice(start, colon), 'transfer-encoding')) {
      codings ??= [];
      codings.push(...elements(text.slice(colon + 1, end)));
    }
    start = next + 2;
  }
  head.coding = codings === undefined ? 'none' : lastCoding(codings);
  head.keepAlive = !close && (keep || !isOld);
  if (codings === undefined) return true;
  // Who states a length as well, or chunks what an old client could not read, may mean another end than this one (§6.1, §6.3).
  if (head.length >= 0 || isOld) head.keepAlive = false;
  // Chunks that are not the outermost coding cannot be taken apart without undoing the others (§6.1).
  return !codings.slice(0, -1).includes('chunked');
}

/** Whether a trailer section is one. `text` begins with the end of the line before it, and lacks its empty line. */
export function isTrailer(text: string): boolean {
  return TRAILER.test(text);
}

function lastCoding(codings: string[]): ResponseHead['coding'] {
  const last = codings.at(-1);
  return last === undefined ? 'none' : last === 'chunked' ? 'chunked' : 'other';
}

/** Whether a word is this one, in any case. */
function named(word: string, name: string): boolean {
  return word.length === name.length && word.toLowerCase() === name;
}

/** A text of its own: a part of another one would keep that whole in memory as long as it is kept itself. */
function copied(part: string): string {
  return Buffer.from(part, 'latin1').toString('latin1');
}

/** The elements of a comma-separated list, in lower case (RFC 9110 §5.6.1). */
function elements(value: string): string[] {
  return value
    .toLowerCase()
    .split(',')
    .map((element) => element.trim())
    .filter((element) => element !== '');
}

/** Whether a comma-separated list has this element. */
function lists(value: string, element: string): boolean {
  // Nearly always it is the only one.
  return named(value.trim(), element) || (value.includes(',') && elements(value).includes(element));
}

/** Bytes; -1 when it is no number, not one and the same, or more than can be counted (RFC 9110 §8.6). */
function lengthOf(value: string): number {
  // Several equal ones are what a proxy makes of a repeated field.
  if (value.includes(',')) {
    const lengths = value.split(',').map(lengthOf);
    return lengths.every((length) => length === lengths[0]) ? lengths[0] : -1;
  }
  if (!DIGITS.test(value)) return -1;
  const bytes = Number(value);
  return bytes <= Number.MAX_SAFE_INTEGER ? bytes : -1;
}
