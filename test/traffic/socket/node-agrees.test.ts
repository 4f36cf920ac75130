/** Of every valid response Node's own HTTP client says what the socket engine's parser says: one checks the other. */
import http from 'node:http';
import net from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ParseResult, responseParser } from '../../../src/traffic/socket/http-response.js';
import { cut, pieceSizes, type ValidResponse, validResponse } from './responses.js';

const RESPONSES = 200;

/** What the server sends next. */
let pieces: Buffer[] = [];
let thenClose = false;
const server = net.createServer({ noDelay: true }, (socket) => {
  socket.on('error', () => {});
  socket.once('data', () => send(socket, 0));
});

/** A piece at a time, so that the other side may see each by itself. */
function send(socket: net.Socket, index: number): void {
  if (index < pieces.length) socket.write(pieces[index], () => setImmediate(() => send(socket, index + 1)));
  else if (thenClose) socket.end();
}

beforeAll(() => new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening)));
afterAll(() => new Promise<void>((closed) => server.close(() => closed())));

interface Persistence {
  shouldKeepAlive: boolean;
}

/** What Node's client makes of the response. */
async function askNode({ toHead, endless, keepAlive }: ValidResponse) {
  const agent = new http.Agent({ keepAlive: true });
  const { port } = server.address() as net.AddressInfo;
  try {
    return await new Promise((resolve, reject) => {
      const request = http.request({ port, host: '127.0.0.1', method: toHead ? 'HEAD' : 'GET', agent }, (response) => {
        const body: Buffer[] = [];
        response.on('data', (data) => body.push(data));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode,
            // Not documented, and the only place where Node says it. After a HEAD it thinks of the body that never comes.
            keepAlive: toHead && endless ? keepAlive : (request as unknown as Persistence).shouldKeepAlive,
            cookies: response.headers['set-cookie']?.map((line) => line.split(';', 1)[0].trim()),
            whole: response.complete,
            body: Buffer.concat(body).toString('latin1'),
          });
        });
      });
      request.on('error', reject).end();
    });
  } finally {
    agent.destroy();
  }
}

/** What the parser makes of it. */
function ask({ toHead, body }: ValidResponse) {
  const parser = responseParser();
  parser.reset(toHead);
  let result: ParseResult = ParseResult.needMore;
  for (const piece of pieces) result = parser.feed(piece, 0, piece.length);
  if (thenClose) result = parser.end();
  const { status, keepAlive, cookies } = parser;
  return { status, keepAlive, cookies, whole: result === ParseResult.complete, body: body.toString('latin1') };
}

it('the same status, end, cookies, and fate of the connection', async () => {
  await fc.assert(
    fc.asyncProperty(validResponse, pieceSizes, async (response, sizes) => {
      pieces = cut(response.bytes, sizes);
      thenClose = response.untilClose;
      expect(await askNode(response)).toEqual(ask(response));
    }),
    { numRuns: RESPONSES },
  );
});
