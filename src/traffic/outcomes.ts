/**
 * The outcome of every request as columns of numbers in shared memory: no object, no closure, no promise per request.
 * Row `visitor * steps + step`; times are nanoseconds since the run's start, NaN where it never happened.
 */

/** What became of a request. */
export const RequestState = { notDue: 0, underWay: 1, completed: 2, dropped: 3 } as const;

/** How the last try of a dropped request failed, as the client saw it. */
export const ClientError = {
  none: 0,
  /** connect() or socket() failed at once; see `errno`. */
  syscall: 1,
  /** The handshake did not finish in `timeout.connect`. */
  connectTimeout: 2,
  /** The handshake failed; see `errno` (ECONNREFUSED, EHOSTUNREACH, ECONNRESET). */
  connectFailed: 3,
  /** Connected, but no whole response within `timeout.response`. */
  responseTimeout: 4,
  /** The connection was reset while waiting for the response (ECONNRESET, EPIPE). */
  reset: 5,
  /** The connection was closed before the whole response had arrived. */
  closedEarly: 6,
  /** The response was not HTTP. */
  badResponse: 7,
  /** A whole response with a status of 500 and above, or 429. */
  status: 8,
} as const;
/** One of the numbers above, as the column `error` holds it. */
export type ClientError = (typeof ClientError)[keyof typeof ClientError];

/** An 8-bit column's value for "not known". */
export const UNKNOWN_8 = 0xff;

/** name, bytes per row, typed array: the one list that the arrays, the file format and its reader are made from. */
export const COLUMNS = [
  ['dueNs', Float64Array],
  /** First try's actual start. */
  ['sentNs', Float64Array],
  /** Last try: when connect() was called; NaN on a connection that was already open. */
  ['connectNs', Float64Array],
  /** Last try: when the handshake finished. */
  ['connectedNs', Float64Array],
  ['firstByteNs', Float64Array],
  ['doneNs', Float64Array],
  /** Start of the last try (equal to `sentNs` without a retry). */
  ['lastTryNs', Float64Array],
  /** Number of the connection that carried the last try, unique in the trial; -1 none. Requests with the same number shared it. */
  ['connection', Int32Array],
  ['status', Uint16Array],
  ['errno', Uint16Array],
  /** Local port of the last try's connection; 0 none. */
  ['localPort', Uint16Array],
  /** Index of the client host. */
  ['client', Uint16Array],
  /** Index into the client's targets. */
  ['target', Uint16Array],
  ['state', Uint8Array],
  ['error', Uint8Array],
  ['attempts', Uint8Array],
  /** Retransmitted SYNs of the last try's connection (TCP_INFO); 255 not known to this engine. */
  ['synRetransmits', Uint8Array],
  /** 1 when the answer says that the tickets are sold out (409). */
  ['soldOut', Uint8Array],
] as const;

type ColumnName = (typeof COLUMNS)[number][0];
type ColumnArray<Name> = InstanceType<Extract<(typeof COLUMNS)[number], readonly [Name, unknown]>[1]>;

/** The columns themselves. */
export type OutcomeColumns = { [Name in ColumnName]: ColumnArray<Name> };

/** All outcomes of one trial. */
export interface Outcomes extends OutcomeColumns {
  readonly visitors: number;
  readonly steps: number;
  readonly rows: number;
  /** The memory behind the columns, to hand to another thread. */
  readonly buffer: SharedArrayBuffer;
}

/** Bytes of one row over all columns. */
const ROW_BYTES = COLUMNS.reduce((sum, [, type]) => sum + type.BYTES_PER_ELEMENT, 0);

/** Lays the columns over a buffer of `visitors * steps` rows, or over a new one. */
export function outcomes(visitors: number, steps: number, buffer?: SharedArrayBuffer): Outcomes {
  const rows = visitors * steps;
  const memory = buffer ?? new SharedArrayBuffer(rows * ROW_BYTES);
  const columns: Record<string, unknown> = {};
  let offset = 0;
  // Widest first, so that every column starts at a multiple of its element size.
  for (const [name, type] of COLUMNS) {
    columns[name] = new (type as new (memory: SharedArrayBuffer, offset: number, rows: number) => unknown)(
      memory,
      offset,
      rows,
    );
    offset += rows * type.BYTES_PER_ELEMENT;
  }
  const result = { ...(columns as unknown as OutcomeColumns), visitors, steps, rows, buffer: memory };
  if (buffer === undefined) {
    for (const [name, type] of COLUMNS) if (type === Float64Array) (result[name] as Float64Array).fill(Number.NaN);
    result.connection.fill(-1);
    result.synRetransmits.fill(UNKNOWN_8);
  }
  return result;
}
