/** The bytes of one HTTP request. */
import { type JourneyStep, requestId, requestTarget, type TrafficTarget } from '../engine.js';

/** What the bytes depend on. */
export interface RequestText {
  step: JourneyStep;
  target: TrafficTarget;
  prefix: string;
  visitor: number;
  stepIndex: number;
  tryIndex: number;
  /** `a=1; b=2`, or undefined. */
  cookies: string | undefined;
  /** Ask the server to close after its answer. */
  closeAfter: boolean;
}

/** Writes the request into `buffer` and returns its length. */
export function writeRequest(buffer: Buffer, request: RequestText): number {
  const { step, target } = request;
  const text =
    `${step.method} ${requestTarget(target, step.path)} HTTP/1.1\r\nHost: ${target.origin ?? target.address}\r\n` +
    `X-Request-Id: ${requestId(request.prefix, request.visitor, request.stepIndex, request.tryIndex)}\r\n` +
    (request.cookies === undefined ? '' : `Cookie: ${request.cookies}\r\n`) +
    (request.closeAfter ? 'Connection: close\r\n' : '') +
    (step.method === 'POST' ? `Content-Length: ${step.body.length}\r\n\r\n${step.body}` : '\r\n');
  return buffer.write(text, 'latin1');
}
