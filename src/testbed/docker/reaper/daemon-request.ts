/** Requests to the Docker daemon on its socket, with nothing but Node.js: the reaper's image holds no packages. */
import { request } from 'node:http';

/** Where whoever starts a reaper mounts the socket. */
const SOCKET = '/var/run/docker.sock';

/** Status and body of an answer (Docker Engine API). */
export interface DaemonAnswer {
  status: number;
  /** Parsed JSON; undefined when there is none. */
  body: unknown;
}

/** Sends a request; rejects when there is no answer within `timeout` ms. */
export function askDaemon(method: 'GET' | 'DELETE', path: string, timeout: number): Promise<DaemonAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request({ socketPath: SOCKET, method, path, timeout }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: parse(text) }));
      response.on('error', reject);
    });
    asking.on('timeout', () => asking.destroy(new Error(`no answer within ${timeout} ms`)));
    asking.on('error', reject);
    asking.end();
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
