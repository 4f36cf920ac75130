/** Lines of squid's access log, as `config.ts` has them written. */

/** One request as squid has answered it. */
export interface AccessLine {
  id: string;
  /** Unix time, ms. */
  startedAt: number;
  endedAt: number;
  /** Status sent to the client; 0 none. */
  status: number;
  peer: string;
  /** What squid did with the request (`TCP_MISS`, `TCP_HIT`, …) and where it sent it (`FIRSTUP_PARENT`, `HIER_NONE`, …). */
  tag: string;
  hierarchy: string;
  /** The server asked last, and from where; undefined where none was, or where the connection had no local end yet. */
  backend: string | undefined;
  local: string | undefined;
  /** From the first connect() to a server until its last byte, and from the request sent to it until then, ms; undefined without. */
  serverMs: number | undefined;
  answerMs: number | undefined;
  /** Squid's own error (`ERR_CONNECT_FAIL`, …) and the errno with it. */
  error: string | undefined;
  errno: number;
  /** Number of the request in squid's cache.log. */
  transaction: string;
  method: string;
  url: string;
  line: string;
}

const FIELD_COUNT = 16;

/** undefined for a request without an id, an empty line, and one that was cut off when the process was killed. */
export function readAccessLine(line: string): AccessLine | undefined {
  const fields = line.split(' ');
  if (fields.length < FIELD_COUNT || fields[0] === '-') return undefined;
  const [id, start, end, status, peer, tag, hierarchy, backend, local, serverMs, answerMs, error, words] = fields;
  const [transaction, method, url] = fields.slice(13);
  // A local end of port 0 is one that never came to be.
  const known = (text: string) => (text.startsWith('-') || text.endsWith(':0') ? undefined : text);
  const own = known(error);
  return {
    id: decodeURIComponent(id),
    startedAt: Number(start) * 1000,
    endedAt: Number(end) * 1000,
    status: Number(status),
    peer,
    tag,
    hierarchy,
    backend: known(backend),
    local: known(local),
    serverMs: numberOf(serverMs),
    answerMs: numberOf(answerMs),
    error: own,
    // A squid behind this one sends its own words, which are no error of this one.
    errno: own === undefined ? 0 : Number(/%20(\d+)$/.exec(words)?.[1] ?? 0),
    transaction,
    method,
    url,
    line,
  };
}

const numberOf = (text: string) => (text === '-' ? undefined : Number(text));
