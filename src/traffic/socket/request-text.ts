/** The bytes of HTTP requests, put together from pieces that are made once per step and target: no string is built per request. */
import { type JourneyStep, requestTarget, type TrafficPlan, type TrafficTarget } from '../engine.js';

/** What all requests of one step to one target have in common. */
export interface RequestPieces {
  /** From the request line to the request id's prefix and its point. */
  head: Buffer;
  /** Between the id's visitor and its try, or the end of its line: the step. */
  step: Buffer;
  /** What follows id and cookies: the other headers, and the body. */
  tail: Buffer;
}

/** Writes requests, one at a time. */
export interface RequestWriter {
  /** The request that was written last, from 0 on. */
  bytes: Buffer;
  /**
   * Writes a request and returns its length. Its id is that of `requestId`.
   * @param room where it is written unless it is too long
   * @param visitor number of the visitor in the whole plan
   * @param cookies `a=1; b=2`, or undefined
   */
  write(room: Buffer, pieces: RequestPieces, visitor: number, tryIndex: number, cookies: string | undefined): number;
}

const LINE_END = Buffer.from('\r\n', 'latin1');
const COOKIE = Buffer.from('Cookie: ', 'latin1');
const POINT = 0x2e;
const ZERO = 0x30;
/** Room for the pieces that are the same in all requests, and for the digits of two whole numbers. */
const ROOM_BESIDE = 64;

/**
 * The pieces of a plan's requests, by client, target and step.
 * @param closeAfter ask the server to close after its answer
 */
export function requestPieces({ clients, steps, idPrefix }: TrafficPlan, closeAfter: boolean): RequestPieces[][][] {
  /** Clients of one node have the same targets. */
  const made = new Map<string, RequestPieces[]>();
  const piecesFor = (target: TrafficTarget): RequestPieces[] => {
    const key = `${target.address} ${target.origin}`;
    const pieces =
      made.get(key) ?? steps.map((step, index) => piecesOf(step, index, { target, prefix: idPrefix, closeAfter }));
    made.set(key, pieces);
    return pieces;
  };
  return clients.map(({ targets }) => targets.map(piecesFor));
}

function piecesOf(
  step: JourneyStep,
  index: number,
  { target, prefix, closeAfter }: { target: TrafficTarget; prefix: string; closeAfter: boolean },
): RequestPieces {
  const head =
    `${step.method} ${requestTarget(target, step.path)} HTTP/1.1\r\nHost: ${target.origin ?? target.address}\r\n` +
    `X-Request-Id: ${prefix}.`;
  const tail =
    (closeAfter ? 'Connection: close\r\n' : '') +
    (step.method === 'POST' ? `Content-Length: ${step.body.length}\r\n\r\n${step.body}` : '\r\n');
  const [headBytes, stepBytes, tailBytes] = [head, `.${index}`, tail].map((text) => Buffer.from(text, 'latin1'));
  return { head: headBytes, step: stepBytes, tail: tailBytes };
}

/** A writer; the room of its own, for long requests, is overwritten with each. */
export function requestWriter(): RequestWriter {
  let ample = Buffer.alloc(0);
  const writer: RequestWriter = {
    bytes: ample,
    write(room, pieces, visitor, tryIndex, cookies) {
      const { head, step, tail } = pieces;
      const most = head.length + step.length + tail.length + (cookies?.length ?? 0) + ROOM_BESIDE;
      if (most > room.length && most > ample.length) ample = Buffer.allocUnsafeSlow(2 * most);
      writer.bytes = most > room.length ? ample : room;
      const { bytes } = writer;
      bytes.set(head, 0);
      let length = writeNumber(bytes, visitor, head.length);
      bytes.set(step, length);
      length += step.length;
      if (tryIndex > 0) {
        bytes[length] = POINT;
        length = writeNumber(bytes, tryIndex, length + 1);
      }
      bytes.set(LINE_END, length);
      length += LINE_END.length;
      if (cookies !== undefined) {
        bytes.set(COOKIE, length);
        length += COOKIE.length;
        length += bytes.write(cookies, length, 'latin1');
        bytes.set(LINE_END, length);
        length += LINE_END.length;
      }
      bytes.set(tail, length);
      return length + tail.length;
    },
  };
  return writer;
}

/** Writes a whole number, not negative, in decimal digits, and returns where they end. */
function writeNumber(bytes: Buffer, number: number, at: number): number {
  let digits = 1;
  for (let rest = number; rest >= 10; rest = Math.floor(rest / 10)) digits++;
  let rest = number;
  for (let index = at + digits - 1; index >= at; index--) {
    bytes[index] = ZERO + (rest % 10);
    rest = Math.floor(rest / 10);
  }
  return at + digits;
}
