/** The lines of Caddy's log that tell of requests, as zap writes them: one JSON object each. */

/** A line; which of the fields are there depends on who wrote it. */
export interface LogLine {
  /** Unix time, s. */
  ts: number;
  logger: string;
  msg: string;
  request?: {
    remote_ip: string;
    remote_port: string;
    method: string;
    uri: string;
    headers?: Record<string, string[]>;
  };
  /** Seconds: of a request until it was answered, of a try until its answer had begun. */
  duration?: number;
  status?: number;
  /** `address:port` of a try's backend. */
  upstream?: string;
  /** The same of a check, and the status that was not the one wanted. */
  host?: string;
  status_code?: number;
  error?: string;
}

/** What a line is about. */
export type Told =
  /** A request that has been answered, or not: the last one of it. */
  | 'request'
  /** A try at a backend that has ended, or has begun to be answered. */
  | 'try'
  /** Why a request was answered with an error. */
  | 'error'
  /** An answer that was cut off after it had begun. */
  | 'cut-off'
  /** A check of a backend that failed. */
  | 'check'
  /** The listener could not take up a connection. */
  | 'listener';

/** Reads the log; lines about something else are left out, and one that was cut off when the process was killed. */
export function readLines(log: string): { told: Told; line: LogLine }[] {
  return log.split('\n').flatMap((text) => {
    const line = parse(text);
    const told = line && toldBy(line);
    return told === undefined ? [] : [{ told, line: line! }];
  });
}

function parse(text: string): LogLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}

const PROXY = 'http.handlers.reverse_proxy';

/** Names of loggers may have that of a site behind them, as `http.log.access.log0`. */
function toldBy({ logger, msg }: LogLine): Told | undefined {
  if (logger === PROXY) {
    if (msg === 'upstream roundtrip') return 'try';
    return msg === 'aborting with incomplete response' ? 'cut-off' : undefined;
  }
  if (logger.startsWith('http.log.access')) return 'request';
  if (logger.startsWith('http.log.error')) return 'error';
  // It also says when a backend is up again.
  if (logger === `${PROXY}.health_checker.active`) return msg === 'host is up' ? undefined : 'check';
  return logger === 'http.stdlib' && msg.includes('Accept error') ? 'listener' : undefined;
}
