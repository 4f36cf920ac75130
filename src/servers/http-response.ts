/** The bytes of an HTTP/1.1 response with Content-Length. */
import { STATUS_CODES } from 'node:http';
import type { StoreVisit } from './request-log.js';

/** What a handler answers; the body is text and is sent as UTF-8. */
export interface HttpResponse {
  status: number;
  body: string;
  /** `text/plain` when absent. */
  contentType?: string;
  /** Further headers, each `Name: value`. */
  headers?: string[];
  /** The server's own failure of state, told to the log as `"lost":1`. */
  sessionLost?: boolean;
  /** How the store behind this server was asked, told to the log. */
  store?: StoreVisit;
  /** False keeps it out of the request log. */
  logged?: boolean;
}

/** What the connection's state adds to a response. */
export interface ResponseFraming {
  /** The answer is to a HEAD request. */
  head: boolean;
  /** Value of the Connection header; undefined leaves it out. */
  connection: 'close' | 'keep-alive' | undefined;
}

/** Renders a response as UTF-8 bytes. */
export function renderResponse(response: HttpResponse, { head, connection }: ResponseFraming): Buffer {
  const { status, body } = response;
  // RFC 9110 §6.4.1: 1xx, 204 and 304 have no body, and 204 no Content-Length.
  const bodiless = status === 204 || status === 304;
  let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? 'Unknown'}\r\n`;
  if (!bodiless) {
    text += `Content-Type: ${response.contentType ?? 'text/plain'}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`;
  }
  if (connection !== undefined) text += `Connection: ${connection}\r\n`;
  for (const header of response.headers ?? []) text += `${header}\r\n`;
  text += '\r\n';
  if (!bodiless && !head) text += body;
  return Buffer.from(text);
}
