/** Reads `requests.bin`: one plain object per request that came due, with its cause merged in. A missing tail is tolerated. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { usageError } from '../errors.js';
import type { Cause } from '../ledger/causes.js';
import { errnoName } from '../sys/errno.js';
import { ClientError, RequestState, UNKNOWN_8 } from '../traffic/outcomes.js';
import {
  type ColumnArray,
  FILE_HEAD_BYTES,
  FORMAT_VERSION,
  FRAME_HEAD_BYTES,
  FrameKind,
  isColumnType,
  layOut,
  MAGIC,
  NONE_8,
  rowBytes,
  TABLE_HEAD_BYTES,
  type TrialHeader,
  VERDICT_COLUMNS,
} from './requests-format.js';

/** A cause and its place. */
export interface Placed {
  cause: Cause;
  at: string;
}

/** One request. Times are ms since the trial's start; null is what never happened or what the engine cannot know. */
export interface RequestRow {
  id: string;
  variant: string;
  trial: number;
  visitor: number;
  step: string;
  client: string;
  state: 'completed' | 'dropped' | 'under-way';
  dueMs: number;
  sentMs: number | null;
  /** Start of the last try. */
  lastTryMs: number | null;
  /** connect() of the last try; null on a connection that was open already. */
  connectMs: number | null;
  connectedMs: number | null;
  firstByteMs: number | null;
  doneMs: number | null;
  attempts: number;
  /** HTTP status; null without a response. */
  status: number | null;
  /** How the last try failed, as the client saw it. */
  error: keyof typeof ClientError | null;
  errno: string | null;
  /** Number of the connection in the trial; requests with the same number shared it. */
  connection: number | null;
  localPort: number | null;
  synRetransmits: number | null;
  soldOut: boolean;
  /** Why it was dropped, or why it completed late. */
  cause: Cause | null;
  at: string | null;
  because: Placed | null;
}

/** An opened `requests.bin`. */
export interface RequestsReader {
  trials: TrialHeader[];
  /** The file ends in the middle of a frame: what came after is lost. */
  truncated: boolean;
  /**
   * All requests that came due, trial after trial in the order of their rows; or only those of one trial, or of one visitor there.
   * The file is open only while this is read.
   */
  rows(only?: { trial: TrialHeader; visitor?: number }): Generator<RequestRow, void, undefined>;
}

interface Frame {
  kind: number;
  /** Offset and length of the payload in the file. */
  offset: number;
  length: number;
}

/**
 * Opens the file and finds its frames.
 * @throws PortPartyError (exit 2) when it is missing or is no such file
 */
export function openRequests(path: string): RequestsReader {
  return withFile(path, (fd) => {
    const { frames, truncated } = findFrames(fd, path);
    const trials = frames.filter(({ kind }) => kind === FrameKind.trial).map((frame) => readHeader(fd, path, frame));
    return { trials, truncated, rows: (only) => readRows(path, frames, trials, only) };
  });
}

/** All requests of a file, as `openRequests(path).rows()`. */
export function readRequests(path: string): Generator<RequestRow, void, undefined> {
  return openRequests(path).rows();
}

function* readRows(
  path: string,
  frames: Frame[],
  trials: TrialHeader[],
  only?: { trial: TrialHeader; visitor?: number },
): Generator<RequestRow, void, undefined> {
  const fd = open(path);
  try {
    const tables = frames.filter(({ kind }) => kind === FrameKind.rows || kind === FrameKind.verdicts);
    const segmentOf = new Map(tables.map((frame) => [frame, read(fd, frame.offset, 4).readUInt32LE(0)]));
    for (const trial of only === undefined ? trials : [only.trial]) {
      const [from, to] = rowsOfVisitor(trial, only?.visitor);
      const own = tables.filter((frame) => segmentOf.get(frame) === trial.segment);
      const verdicts = new Map<number, ReturnType<typeof readVerdict>>();
      for (const frame of own) if (frame.kind === FrameKind.verdicts) readVerdicts(fd, frame, trial, verdicts);
      for (const frame of own) {
        if (frame.kind !== FrameKind.rows) continue;
        const head = read(fd, frame.offset, TABLE_HEAD_BYTES);
        if (head.readUInt32LE(4) >= to || head.readUInt32LE(4) + head.readUInt32LE(8) <= from) continue;
        const payload = read(fd, frame.offset, frame.length);
        const [first, count] = [payload.readUInt32LE(4), payload.readUInt32LE(8)];
        if (TABLE_HEAD_BYTES + count * rowBytes(trial.columns) !== frame.length) throw damaged(path, frame.offset);
        const columns = layOut(trial.columns, count, payload, TABLE_HEAD_BYTES);
        for (let index = 0; index < count; index++) {
          if (first + index < from || first + index >= to) continue;
          if (columns.state[index] === RequestState.notDue) continue;
          yield toRow(columns, index, first + index, trial, verdicts.get(first + index));
        }
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** The rows of one visitor, or of all: the first, and the one behind the last. */
function rowsOfVisitor({ steps }: TrialHeader, visitor: number | undefined): [number, number] {
  return visitor === undefined ? [0, Number.POSITIVE_INFINITY] : [visitor * steps.length, (visitor + 1) * steps.length];
}

const STATE_NAMES: Record<number, RequestRow['state']> = {
  [RequestState.underWay]: 'under-way',
  [RequestState.completed]: 'completed',
  [RequestState.dropped]: 'dropped',
};
const ERROR_NAMES = Object.keys(ClientError) as (keyof typeof ClientError)[];

function toRow(
  columns: Record<string, ColumnArray>,
  index: number,
  row: number,
  trial: TrialHeader,
  verdict: ReturnType<typeof readVerdict> | undefined,
): RequestRow {
  const steps = trial.steps.length;
  const [visitor, step] = [Math.floor(row / steps), row % steps];
  const ms = (name: string) => {
    const ns = columns[name][index];
    return Number.isNaN(ns) ? null : Math.round(ns / 1000) / 1000;
  };
  const unless = (name: string, none: number) => (columns[name][index] === none ? null : columns[name][index]);
  const errno = columns.errno[index];
  return {
    id: `${trial.idPrefix}.${visitor}.${step}`,
    variant: trial.variant,
    trial: trial.trial,
    visitor,
    step: trial.steps[step],
    client: trial.clients[columns.client[index]] ?? String(columns.client[index]),
    state: STATE_NAMES[columns.state[index]],
    dueMs: Math.round(columns.dueNs[index] / 1000) / 1000,
    sentMs: ms('sentNs'),
    lastTryMs: ms('lastTryNs'),
    connectMs: ms('connectNs'),
    connectedMs: ms('connectedNs'),
    firstByteMs: ms('firstByteNs'),
    doneMs: ms('doneNs'),
    attempts: columns.attempts[index],
    status: unless('status', 0),
    error: columns.error[index] === ClientError.none ? null : ERROR_NAMES[columns.error[index]],
    errno: errno === 0 ? null : errnoName(errno),
    connection: unless('connection', -1),
    localPort: unless('localPort', 0),
    synRetransmits: unless('synRetransmits', UNKNOWN_8),
    soldOut: columns.soldOut[index] === 1,
    cause: verdict?.cause ?? null,
    at: verdict?.at ?? null,
    because: verdict?.because ?? null,
  };
}

function readVerdicts(
  fd: number,
  frame: Frame,
  trial: TrialHeader,
  into: Map<number, ReturnType<typeof readVerdict>>,
): void {
  const payload = read(fd, frame.offset, frame.length);
  const count = payload.readUInt32LE(4);
  const columns = layOut(VERDICT_COLUMNS, count, payload, TABLE_HEAD_BYTES);
  for (let index = 0; index < count; index++) into.set(columns.row[index], readVerdict(columns, index, trial));
}

function readVerdict(columns: Record<string, ColumnArray>, index: number, { causes, nodes }: TrialHeader) {
  return {
    cause: causes[columns.cause[index]] as Cause,
    at: nodes[columns.at[index]] ?? '',
    because:
      columns.because[index] === NONE_8
        ? null
        : { cause: causes[columns.because[index]] as Cause, at: nodes[columns.becauseAt[index]] ?? '' },
  };
}

function findFrames(fd: number, path: string): { frames: Frame[]; truncated: boolean } {
  const { size } = fstatSync(fd);
  const head = read(fd, 0, Math.min(size, FILE_HEAD_BYTES));
  if (head.length < FILE_HEAD_BYTES || head.toString('latin1', 0, 4) !== MAGIC)
    throw usageError('this is no record of requests', path, 'it should be the requests.bin of a run');
  const version = head.readUInt32LE(4);
  if (version !== FORMAT_VERSION)
    throw usageError(
      `this record of requests has format ${version}, and this portparty reads ${FORMAT_VERSION}`,
      path,
      'read it with the version of portparty that wrote it',
    );
  const frames: Frame[] = [];
  let at = FILE_HEAD_BYTES;
  while (at + FRAME_HEAD_BYTES <= size) {
    const frameHead = read(fd, at, FRAME_HEAD_BYTES);
    const [kind, length] = [frameHead.readUInt32LE(0), frameHead.readUInt32LE(4)];
    const end = at + FRAME_HEAD_BYTES + Math.ceil(length / 8) * 8;
    if (end > size) break;
    frames.push({ kind, offset: at + FRAME_HEAD_BYTES, length });
    at = end;
  }
  return { frames, truncated: at !== size };
}

function readHeader(fd: number, path: string, frame: Frame): TrialHeader {
  let header: TrialHeader;
  try {
    header = JSON.parse(read(fd, frame.offset, frame.length).toString()) as TrialHeader;
  } catch {
    throw damaged(path, frame.offset);
  }
  if (!header.columns.every(([, type]) => isColumnType(type))) throw damaged(path, frame.offset);
  return header;
}

function read(fd: number, offset: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let at = 0;
  while (at < length) {
    const got = readSync(fd, bytes, at, length - at, offset + at);
    if (got === 0) return bytes.subarray(0, at);
    at += got;
  }
  return bytes;
}

function damaged(path: string, offset: number): Error {
  return usageError(`the record of requests is damaged at byte ${offset}`, path, 'repeat the run');
}

function open(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw usageError(`cannot read the record of requests: ${(error as NodeJS.ErrnoException).code}`, path);
  }
}

function withFile<T>(path: string, use: (fd: number) => T): T {
  const fd = open(path);
  try {
    return use(fd);
  } finally {
    closeSync(fd);
  }
}
