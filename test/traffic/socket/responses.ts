/** Random valid HTTP/1.x responses with what a client must make of each, and ways to cut their bytes. */
import fc from 'fast-check';

/** A response as it goes over the wire, and what it says. */
export interface ValidResponse {
  bytes: Buffer;
  status: number;
  /** The connection can carry another request. */
  keepAlive: boolean;
  cookies: string[] | undefined;
  /** It lasts until the server closes. */
  untilClose: boolean;
  /** Its head says neither a length nor a coding. */
  endless: boolean;
  toHead: boolean;
  /** Where its final head ends. */
  bodyStart: number;
  body: Buffer;
}

const TOKEN = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const token = fc.string({ unit: fc.constantFrom(...TOKEN), minLength: 1, maxLength: 12 }).map((name) => `X${name}`);
/** Visible characters, bytes above 0x7f, and blanks between them. */
const visible = fc.integer({ min: 0x21, max: 0xff }).filter((code) => code !== 0x7f);
const value = fc
  .array(fc.oneof({ weight: 9, arbitrary: visible }, fc.constantFrom(0x20, 0x09)), { maxLength: 30 })
  .map((codes) => String.fromCharCode(...codes).replace(/^[ \t]+|[ \t]+$/g, ''));
const blank = fc.constantFrom('', ' ', '\t', '  ');
/** A field line; names of fields come in any case, blanks around values mean nothing. */
const line = (name: fc.Arbitrary<string>, content: fc.Arbitrary<string>) =>
  fc.tuple(name, blank, content, blank).map(([key, before, text, after]) => `${key}:${before}${text}${after}\r\n`);
const anyCase = (name: string) => fc.constantFrom(name, name.toLowerCase(), name.toUpperCase());
const otherLines = fc.array(line(token, value), { maxLength: 5 });
const reason = fc.oneof(
  fc.constant(' '),
  value.map((text) => ` ${text}`),
);
const cookie = fc.constantFrom('sid=abc', 'node=1', 'empty=', 'q="x y"');
const cookieLine = cookie.chain((pair) =>
  line(anyCase('Set-Cookie'), fc.constantFrom(pair, `${pair}; Path=/; HttpOnly`, `${pair} ;Secure`)).map((text) => ({
    pair,
    text,
  })),
);
const interim = fc
  .tuple(fc.constantFrom(100, 102, 103), reason, otherLines)
  .map(([status, words, lines]) => `HTTP/1.1 ${status}${words}\r\n${lines.join('')}\r\n`);
const body = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));

const extension = fc.constantFrom('', '', '', ';a', ';a=b', ';a="b c;d"');
const chunked = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 8 }),
  extensions: fc.array(extension, { minLength: 9, maxLength: 9 }),
  zeros: fc.constantFrom('', '', '0', '0000'),
  upper: fc.boolean(),
  trailer: otherLines,
});

const CONNECTION = [
  undefined,
  'close',
  'keep-alive',
  'Close',
  'Keep-Alive',
  'x-other',
  'x-other, close',
  ', keep-alive',
];

/** Any valid response. */
export const validResponse: fc.Arbitrary<ValidResponse> = fc
  .record({
    interims: fc.array(interim, { maxLength: 2 }),
    minor: fc.constantFrom(1, 1, 1, 0),
    status: fc.oneof(
      { weight: 3, arbitrary: fc.constant(200) },
      fc.constantFrom(201, 204, 304, 404, 409, 429, 500, 503),
      fc.integer({ min: 200, max: 599 }),
    ),
    reason,
    toHead: fc.integer({ min: 0, max: 9 }).map((number) => number === 0),
    framing: fc.constantFrom('sized', 'sized', 'chunked', 'chunked', 'close'),
    connection: fc.constantFrom(...CONNECTION),
    cookies: fc.array(cookieLine, { maxLength: 2 }),
    names: fc.tuple(anyCase('Content-Length'), anyCase('Transfer-Encoding'), anyCase('Connection')),
    others: otherLines,
    body,
    chunked,
    shuffle: fc.array(fc.nat(), { minLength: 12, maxLength: 12 }),
  })
  .map((parts) => {
    // An old client cannot read chunks.
    const framing = parts.minor === 0 && parts.framing === 'chunked' ? 'sized' : parts.framing;
    const [lengthName, codingName, connectionName] = parts.names;
    const fields = [...parts.others, ...parts.cookies.map(({ text }) => text)];
    if (framing === 'sized') fields.push(`${lengthName}: ${parts.body.length}\r\n`);
    if (framing === 'chunked') fields.push(`${codingName}: chunked\r\n`);
    if (parts.connection !== undefined) fields.push(`${connectionName}: ${parts.connection}\r\n`);
    const order = fields.map((_, index) => index).sort((a, b) => parts.shuffle[a] - parts.shuffle[b] || a - b);
    const head = `HTTP/1.${parts.minor} ${parts.status}${parts.reason}\r\n${order.map((index) => fields[index]).join('')}\r\n`;
    const bodiless = parts.toHead || parts.status === 204 || parts.status === 304;
    const untilClose = !bodiless && framing === 'close';
    const wireBody = bodiless ? [] : framing === 'chunked' ? chunks(parts.body, parts.chunked) : [parts.body];
    const before = Buffer.from(parts.interims.join('') + head, 'latin1');
    const options = parts.connection?.toLowerCase() ?? '';
    const stays = !options.includes('close') && (parts.minor === 1 || options.includes('keep-alive'));
    const pairs = order.flatMap((index) => parts.cookies.find(({ text }) => text === fields[index])?.pair ?? []);
    return {
      bytes: Buffer.concat([before, ...wireBody]),
      status: parts.status,
      keepAlive: stays && !untilClose,
      cookies: pairs.length === 0 ? undefined : pairs,
      untilClose,
      endless: framing === 'close',
      toHead: parts.toHead,
      bodyStart: before.length,
      body: bodiless ? Buffer.alloc(0) : parts.body,
    };
  });

interface ChunkedForm {
  sizes: number[];
  extensions: string[];
  zeros: string;
  upper: boolean;
  trailer: string[];
}

function chunks(all: Buffer, { sizes, extensions, zeros, upper, trailer }: ChunkedForm): Buffer[] {
  const parts: Buffer[] = [];
  const add = (text: string) => parts.push(Buffer.from(text, 'latin1'));
  let position = 0;
  for (const [index, wanted] of [...sizes, all.length].entries()) {
    const data = all.subarray(position, position + wanted);
    if (data.length === 0) break;
    const size = data.length.toString(16);
    add(`${zeros}${upper ? size.toUpperCase() : size}${extensions[index]}\r\n`);
    parts.push(data);
    add('\r\n');
    position += data.length;
  }
  add(`0${zeros}${extensions[8]}\r\n${trailer.join('')}\r\n`);
  return parts;
}

/** Sizes of the pieces that bytes are cut into, over and over. */
export const pieceSizes: fc.Arbitrary<number[]> = fc.oneof<fc.Arbitrary<number[]>[]>(
  fc.constant([1]),
  fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }),
  fc.constant([1_000_000]),
);

/** The bytes in pieces of these sizes. */
export function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const pieces: Buffer[] = [];
  for (let position = 0, index = 0; position < bytes.length; position += sizes[index++ % sizes.length])
    pieces.push(bytes.subarray(position, position + sizes[index % sizes.length]));
  return pieces;
}
