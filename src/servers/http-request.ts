/** An incremental parser of HTTP/1.1 requests (RFC 9112): bytes in, whole requests or one refusal out. */

/** Longest request line and headers together, bytes. */
export const MAX_HEAD_BYTES = 16_384;
/** Longest body, bytes. */
export const MAX_BODY_BYTES = 65_536;
/** Bytes of requests that may wait behind the one in service. */
export const MAX_WAITING_BYTES = 1_048_576;

/** A request that is whole. */
export interface HttpRequest {
  method: string;
  /** Path without the query. */
  path: string;
  /** Header values by lower-case name; repeated ones joined by `, `. */
  headers: ReadonlyMap<string, string>;
  /** The body's bytes as Latin-1 text. */
  body: string;
  /** The client means to use the connection again: HTTP/1.1 without `close`, or HTTP/1.0 with `keep-alive`. */
  keepAlive: boolean;
  /** HTTP/1.0, whose clients must be told of keep-alive. */
  http10: boolean;
  /** `X-Request-Id`, '' when there is none. */
  id: string;
}

/** What cannot be served: the status to answer before the connection is closed. */
export interface BadRequest {
  badStatus: 400 | 411 | 413 | 431 | 505;
  reason: string;
}

/** The parser of one connection; requests may be pipelined. */
export interface RequestParser {
  /** Takes bytes as Latin-1 text. */
  feed(text: string): void;
  /** The next whole request; undefined while more bytes are needed. After a BadRequest nothing follows. */
  next(): HttpRequest | BadRequest | undefined;
  /** True when nothing of a further request has arrived. */
  readonly empty: boolean;
}

/** RFC 9110 §5.6.2 token. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const REQUEST_LINE = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([!-~]+) HTTP\/(\d)\.(\d)$/;
/** Characters that no header value may have: controls but tab. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const FORBIDDEN = /[\x00-\x08\x0a-\x1f\x7f]/;

const bad = (badStatus: BadRequest['badStatus'], reason: string): BadRequest => ({ badStatus, reason });

/** A parser that has seen nothing. Its limits are the `MAX_…` above; what lies beyond one is a BadRequest. */
export function requestParser(): RequestParser {
  let rest = '';
  /** Where the search for the head's end goes on, so that byte-wise delivery stays linear. */
  let searched = 0;
  /** A request whose head is complete and whose body is not. */
  let waiting: HttpRequest | undefined;
  let bodyLength = 0;
  let refusal: BadRequest | undefined;
  let told = false;

  function refuse(reply: BadRequest): void {
    refusal = reply;
    rest = '';
    waiting = undefined;
  }

  function takeHead(): void {
    // RFC 9112 §2.2: empty lines before a request line are ignored.
    while (rest.startsWith('\r\n')) rest = rest.slice(2);
    const end = rest.indexOf('\r\n\r\n', searched);
    if (end < 0) {
      searched = Math.max(0, rest.length - 3);
      if (rest.length > MAX_HEAD_BYTES) refuse(bad(431, 'request head too long'));
      return;
    }
    const head = end > MAX_HEAD_BYTES ? bad(431, 'request head too long') : parseHead(rest.slice(0, end));
    if ('badStatus' in head) {
      refuse(head);
      return;
    }
    waiting = head.request;
    bodyLength = head.bodyLength;
    rest = rest.slice(end + 4);
    searched = 0;
  }

  return {
    feed(text) {
      if (refusal !== undefined) return;
      rest = rest === '' ? text : rest + text;
      if (rest.length > MAX_WAITING_BYTES) refuse(bad(413, 'too much sent ahead'));
    },
    next() {
      if (waiting === undefined && refusal === undefined) takeHead();
      if (refusal !== undefined) {
        if (told) return undefined;
        told = true;
        return refusal;
      }
      if (waiting === undefined || rest.length < bodyLength) return undefined;
      const request = waiting;
      request.body = rest.slice(0, bodyLength);
      rest = rest.slice(bodyLength);
      waiting = undefined;
      return request;
    },
    get empty() {
      return rest === '' && waiting === undefined;
    },
  };
}

function parseHead(head: string): { request: HttpRequest; bodyLength: number } | BadRequest {
  const lines = head.split('\r\n');
  const line = REQUEST_LINE.exec(lines[0]);
  if (line === null) return bad(400, 'malformed request line');
  const [, method, target, major, minor] = line;
  if (major !== '1') return bad(505, `HTTP/${major}.${minor} is not spoken here`);
  const headers = new Map<string, string>();
  for (let index = 1; index < lines.length; index++) {
    const text = lines[index];
    const colon = text.indexOf(':');
    const name = text.slice(0, colon).toLowerCase();
    // A line that begins with a blank continues the one before (obs-fold): refused, as RFC 9112 §5.2 allows.
    if (colon < 1 || !TOKEN.test(name)) return bad(400, 'malformed header');
    const value = text.slice(colon + 1).trim();
    if (FORBIDDEN.test(value)) return bad(400, 'malformed header value');
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`);
  }
  if (headers.has('transfer-encoding')) return bad(411, 'a body needs Content-Length');
  const lengthText = headers.get('content-length') ?? '0';
  // A repeated Content-Length is joined by a comma above and so refused.
  if (!/^\d{1,15}$/.test(lengthText)) return bad(400, 'malformed Content-Length');
  const bodyLength = Number(lengthText);
  if (bodyLength > MAX_BODY_BYTES) return bad(413, 'body too long');
  const http10 = minor === '0';
  const connection = headers.get('connection')?.toLowerCase() ?? '';
  const options = connection === '' ? [] : connection.split(',').map((option) => option.trim());
  const query = target.indexOf('?');
  const request: HttpRequest = {
    method,
    path: query < 0 ? target : target.slice(0, query),
    headers,
    body: '',
    keepAlive: !options.includes('close') && (!http10 || options.includes('keep-alive')),
    http10,
    id: headers.get('x-request-id') ?? '',
  };
  return { request, bodyLength };
}
