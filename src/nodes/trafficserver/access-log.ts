/** Lines of Traffic Server's access log, as `LOG_FORMAT` has them written. */

/** Codes of a log format (doc/admin-guide/logging/formatting); none of them contains a blank, but for the last. */
const FIELDS = [
  '{X-Request-Id}ecqh',
  '{TS_MILESTONE_SM_START}ms',
  '{TS_MILESTONE_SM_FINISH}ms',
  'pssc',
  'chi',
  'chp',
  'crc',
  'phr',
  'pfsc',
  'sssc',
  'sca',
  'nhi',
  'nhp',
  '{TS_MILESTONE_SERVER_FIRST_CONNECT}ms',
  '{TS_MILESTONE_SERVER_CONNECT}ms',
  '{TS_MILESTONE_SERVER_CONNECT_END}ms',
  '{TS_MILESTONE_SERVER_BEGIN_WRITE}ms',
  'cqhm',
  // Part of the path, so that the line fits its buffer.
  'cquup[0:100]',
  // The reason phrase has blanks.
  'prrp',
];

/** The `format` of logging.yaml. */
export const LOG_FORMAT = FIELDS.map((code) => `%<${code}>`).join(' ');

/** One line of the access log, as numbers. */
export interface AccessLine {
  /** undefined for a connection without a request, and for a request without an id. */
  id: string | undefined;
  /** Unix time, ms. */
  startedAt: number;
  endedAt: number;
  /** Status sent to the client; 0 none. */
  status: number;
  peer: string;
  /** `ERR_CONNECT_FAIL`, `ERR_CLIENT_ABORT`, … (doc/admin-guide/logging/cache-results). */
  result: string;
  /** How the exchange with the backend ended: `FIN`, `INTR`, `TIMEOUT`. */
  serverEnd: string;
  /** Status of the backend; 0: none came. */
  serverStatus: number;
  /** Attempts after the first one. */
  attempts: number;
  /** `address:port` of the backend asked last; undefined where none was. */
  backend: string | undefined;
  /** Unix time in ms: when the first and the last attempt began, when the last one ended, and when the request was sent; 0: never. */
  firstConnectAt: number;
  lastConnectAt: number;
  connectEndAt: number;
  sentAt: number;
  /** The reason phrase, which tells more than the status. */
  reason: string;
  line: string;
}

/** undefined for an empty line and one that was cut off when the process was killed. */
export function readAccessLine(line: string): AccessLine | undefined {
  const fields = line.split(' ');
  if (fields.length < FIELDS.length) return undefined;
  const [id, start, end, status, address, port, result, , serverEnd, serverStatus, attempts, hop, hopPort] = fields;
  const [firstConnect, lastConnect, connectEnd, sent] = fields.slice(13).map(Number);
  return {
    id: id === '-' ? undefined : decodeURIComponent(id),
    startedAt: Number(start),
    endedAt: Number(end),
    status: Number(status),
    peer: `${address}:${port}`,
    result,
    serverEnd,
    serverStatus: Number(serverStatus),
    attempts: Number(attempts),
    backend: hopPort === '0' ? undefined : `${hop}:${hopPort}`,
    firstConnectAt: firstConnect,
    lastConnectAt: lastConnect,
    connectEndAt: connectEnd,
    sentAt: sent,
    reason: fields.slice(FIELDS.length - 1).join(' '),
    line,
  };
}
