/** The bytes of one HTTP request. */
import { type JourneyStep, requestId } from '../engine.js';

/** What the bytes depend on. */
export interface RequestText {
  step: JourneyStep;
  host: string;
  prefix: string;
  visitor: number;
  stepIndex: number;
  tryIndex: number;
  /** `a=1; b=2`, or undefined. */
  cookies: string | undefined;
  /** Ask the server to close after its answer. */
  closeAfter: boolean;
}

/** Writes the request into `target` and returns its length. */
export function writeRequest(target: Buffer, request: RequestText): number {
  const { step } = request;
  const text =
    `${step.method} ${step.path} HTTP/1.1\r\nHost: ${request.host}\r\n` +
    `X-Request-Id: ${requestId(request.prefix, request.visitor, request.stepIndex, request.tryIndex)}\r\n` +
    (request.cookies === undefined ? '' : `Cookie: ${request.cookies}\r\n`) +
    (request.closeAfter ? 'Connection: close\r\n' : '') +
    (step.method === 'POST' ? `Content-Length: ${step.body.length}\r\n\r\n${step.body}` : '\r\n');
  return target.write(text, 'latin1');
}
