/** What a hostile server does with a request, at random, and what must become of that request. */
import fc from 'fast-check';
import { ClientError } from '../../../src/traffic/outcomes.js';
import { cut, pieceSizes, type ValidResponse, validResponse } from './responses.js';

/** How one request is answered, and its outcome. */
export interface Behaviour {
  pieces: Buffer[];
  after: 'wait' | 'close' | 'reset';
  error: ClientError;
  /** Of the response that arrived whole, or 0. */
  status: number;
  /** Whether the connection can carry the visitor's next request. */
  keepAlive: boolean;
}

/** The outcome of a response that arrives whole. */
function arrives({ status, keepAlive }: ValidResponse): Pick<Behaviour, 'error' | 'status' | 'keepAlive'> {
  return { status, keepAlive, error: status >= 500 || status === 429 ? ClientError.status : ClientError.none };
}

/** The engine's journeys send no HEAD. */
const response = validResponse.filter(({ toHead }) => !toHead);

const whole = fc.tuple(response, pieceSizes).map(
  ([valid, sizes]): Behaviour => ({
    ...arrives(valid),
    pieces: cut(valid.bytes, sizes),
    after: valid.keepAlive ? 'wait' : 'close',
  }),
);

const withSurplus = response
  .filter(({ untilClose }) => !untilClose)
  .map(
    (valid): Behaviour => ({
      ...arrives(valid),
      keepAlive: false,
      // An answer that nobody has asked for, and in one piece with the one that was.
      pieces: [Buffer.concat([valid.bytes, Buffer.from('HTTP/1.1 503 Later\r\nContent-Length: 0\r\n\r\n')])],
      after: 'wait',
    }),
  );

const large = fc.constantFrom('sized', 'chunked').map((framing): Behaviour => {
  const body = Buffer.alloc(3_000_000, '\r\n');
  const head = (field: string) => Buffer.from(`HTTP/1.1 200 OK\r\n${field}\r\n\r\n`);
  const pieces =
    framing === 'sized'
      ? [head(`Content-Length: ${body.length}`), body]
      : [
          head('Transfer-Encoding: chunked'),
          Buffer.from(`${body.length.toString(16)}\r\n`),
          body,
          Buffer.from('\r\n0\r\n\r\n'),
        ];
  return { pieces, after: 'wait', error: ClientError.none, status: 200, keepAlive: true };
});

const cutShort = fc
  .tuple(response, pieceSizes, fc.nat(), fc.constantFrom('close', 'close', 'reset', 'reset', 'wait'))
  .map(([valid, sizes, at, after]): Behaviour => {
    const length = at % valid.bytes.length;
    const pieces = cut(valid.bytes.subarray(0, length), sizes);
    if (after === 'close' && valid.untilClose && length >= valid.bodyStart) return { ...arrives(valid), pieces, after };
    const error = { close: ClientError.closedEarly, reset: ClientError.reset, wait: ClientError.responseTimeout }[
      after
    ];
    return { pieces, after, error, status: 0, keepAlive: false };
  });

const OK = 'HTTP/1.1 200 OK\r\n';
const malformed = fc
  .tuple(
    fc.constantFrom(
      'SSH-2.0-OpenSSH_9.2\r\n',
      '\0\0\0\0',
      `${OK}Content-Length: 5\r\nContent-Length: 6\r\n\r\n`,
      `${OK}Content-Length: ${'9'.repeat(400)}\r\n\r\n`,
      `${OK}${'A: b\r\n'.repeat(20_000)}`,
      `${OK}A: ${'b'.repeat(200_000)}`,
      `${OK}Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n`,
      `${OK}Transfer-Encoding: chunked\r\n\r\n${'f'.repeat(40)}\r\n`,
      `${OK}Transfer-Encoding: chunked\r\n\r\n0\r\n${'A: b\r\n'.repeat(20_000)}`,
    ),
    pieceSizes.filter(([first]) => first > 1),
    fc.constantFrom('wait', 'wait', 'close'),
  )
  .map(([text, sizes, after]): Behaviour => {
    const bytes = Buffer.from(text, 'latin1');
    return {
      pieces: bytes.length > 1000 ? [bytes] : cut(bytes, sizes),
      after,
      error: ClientError.badResponse,
      status: 0,
      keepAlive: false,
    };
  });

/** Any behaviour. */
export const behaviour: fc.Arbitrary<Behaviour> = fc.oneof(
  { weight: 12, arbitrary: whole },
  { weight: 4, arbitrary: cutShort },
  { weight: 3, arbitrary: malformed },
  { weight: 2, arbitrary: withSurplus },
  { weight: 1, arbitrary: large },
);
