/** How Caddy's try to reach a backend ended, by the words of Go's network library. */
import type { UpstreamResult, UpstreamTry } from '../kind.js';
import type { LogLine } from './log-line.js';

/** Words of an error to the result; the first that fits. */
const BY_WORDS: [words: RegExp, result: UpstreamResult][] = [
  // A check that shares the connections of the requests.
  [/while waiting for connection/, 'queue-timeout'],
  [/cannot assign requested address|address already in use/, 'no-local-port'],
  [/too many open files/, 'file-limit'],
  [/connection refused/, 'refused'],
  [/network is unreachable|no route to host/, 'unreachable'],
  [/\bdial tcp .*(i\/o timeout|connection timed out)/, 'connect-timeout'],
  [
    /timeout awaiting response headers|i\/o timeout|deadline exceeded|Client\.Timeout|connection timed out/,
    'response-timeout',
  ],
  [/connection reset by peer|broken pipe/, 'reset'],
  [/\bEOF\b|server closed/, 'closed-early'],
  [/context canceled/, 'no-answer'],
];

/** How a try ended that the words of this error tell of. */
export function resultOf(error: string): UpstreamResult {
  return BY_WORDS.find(([words]) => words.test(error))?.[1] ?? 'failed';
}

/** The try that a line tells of. */
export function tryOf({ ts, duration = 0, upstream, error, status }: LogLine): UpstreamTry {
  const endedAt = ts * 1000;
  const from = error === undefined ? undefined : /\b(?:read|write) tcp ([\d.]+:\d+)->/.exec(error)?.[1];
  return {
    to: upstream,
    ...(from === undefined ? {} : { from }),
    result: error === undefined ? 'answered' : resultOf(error),
    startedAt: endedAt - duration * 1000,
    endedAt,
    evidence: `upstream roundtrip to ${upstream}: ${error ?? `status ${status}`} after ${inMs(duration)}`,
  };
}

/** Seconds, as they are read. */
export const inMs = (seconds: number) => `${Number((seconds * 1000).toFixed(1))} ms`;

/** Whether the words say that whoever asked had left, and not what became of the answer. */
export const clientLeft = (error: string | undefined) => error !== undefined && /context canceled/.test(error);
