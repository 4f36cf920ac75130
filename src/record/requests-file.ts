/** Writes `requests.bin` while the run goes: settled rows about once a second, verdicts when they are known. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { CAUSE_NAMES, type Cause, type Verdict } from '../ledger/causes.js';
import { type Outcomes, RequestState } from '../traffic/outcomes.js';
import {
  FORMAT_VERSION,
  FRAME_HEAD_BYTES,
  FrameKind,
  MAGIC,
  MOST_ROWS_PER_FRAME,
  NONE_8,
  NONE_16,
  ROW_COLUMNS,
  rowBytes,
  TABLE_HEAD_BYTES,
  type TrialHeader,
  VERDICT_COLUMNS,
} from './requests-format.js';

/** What the rows of one trial belong to. */
export type TrialInfo = Omit<TrialHeader, 'segment' | 'causes' | 'columns'>;

/** The rows of one trial in the file. */
export interface TrialRows {
  /** Writes the rows that had settled by the time of the last call; cheap when there are none. */
  appendSettled(): void;
  /** Writes the rows that are left, settled or not. */
  appendRest(): void;
  /** Writes the causes of dropped and delayed requests, by row. */
  appendVerdicts(verdicts: ReadonlyMap<number, Verdict>): void;
}

/** An open `requests.bin`. */
export interface RequestsFile {
  /** Writes the head of a trial's rows; `outcomes` is read whenever rows are appended. */
  beginTrial(info: TrialInfo, outcomes: Outcomes): TrialRows;
  /** Closes the file; what was not appended is not in it. */
  close(): void;
}

/** Creates the file; an existing one is overwritten. */
export function createRequestsFile(path: string): RequestsFile {
  const fd = openSync(path, 'w');
  const head = Buffer.alloc(8);
  head.write(MAGIC, 'latin1');
  head.writeUInt32LE(FORMAT_VERSION, 4);
  writeAll(fd, head);
  let segments = 0;
  return {
    beginTrial(info, outcomes) {
      const segment = segments++;
      const header: TrialHeader = { segment, ...info, causes: CAUSE_NAMES, columns: ROW_COLUMNS };
      writeFrame(fd, FrameKind.trial, Buffer.from(JSON.stringify(header)));
      return trialRows(fd, segment, info.nodes, outcomes);
    },
    close: () => closeSync(fd),
  };
}

/**
 * The end of the rows, counted from `from`, whose visitors have nothing more to come: all done, or one request dropped or sold out.
 * Both are multiples of the journey's length.
 */
export function settledUntil(outcomes: Outcomes, from: number): number {
  let row = from;
  while (row < outcomes.rows && visitorSettled(outcomes, row)) row += outcomes.steps;
  return row;
}

function visitorSettled({ state, soldOut, steps }: Outcomes, first: number): boolean {
  for (let row = first; row < first + steps; row++) {
    if (state[row] === RequestState.dropped || soldOut[row] === 1) return true;
    if (state[row] !== RequestState.completed) return false;
  }
  return true;
}

function trialRows(fd: number, segment: number, nodes: string[], outcomes: Outcomes): TrialRows {
  let written = 0;
  let settled = 0;
  const writeUntil = (end: number) => {
    while (written < end) {
      const next = Math.min(end, written + MOST_ROWS_PER_FRAME);
      writeFrame(fd, FrameKind.rows, rowsPayload(segment, outcomes, written, next));
      written = next;
    }
  };
  return {
    appendSettled() {
      // Another thread fills the columns without locks, so a row is whole only some time after its state says that it has ended.
      writeUntil(settled);
      settled = settledUntil(outcomes, settled);
    },
    appendRest: () => writeUntil(outcomes.rows),
    appendVerdicts(verdicts) {
      const entries = [...verdicts];
      for (let from = 0; from < entries.length; from += MOST_ROWS_PER_FRAME) {
        const part = entries.slice(from, from + MOST_ROWS_PER_FRAME);
        writeFrame(fd, FrameKind.verdicts, verdictsPayload(segment, nodes, part));
      }
    },
  };
}

function rowsPayload(segment: number, outcomes: Outcomes, from: number, to: number): Buffer {
  const count = to - from;
  const payload = tablePayload([segment, from, count], count * rowBytes(ROW_COLUMNS));
  let at = TABLE_HEAD_BYTES;
  for (const [name] of ROW_COLUMNS) {
    const part = outcomes[name as keyof Outcomes & (typeof ROW_COLUMNS)[number][0]] as unknown as Uint8Array;
    const values = part.subarray(from, to);
    payload.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), at);
    at += values.byteLength;
  }
  return payload;
}

function verdictsPayload(segment: number, nodes: string[], entries: [number, Verdict][]): Buffer {
  const payload = tablePayload([segment, entries.length], entries.length * rowBytes(VERDICT_COLUMNS));
  const nodeIndex = (name: string | undefined) => indexOr(nodes, name, NONE_16);
  const causeIndex = (name: Cause | undefined) => indexOr(CAUSE_NAMES, name, NONE_8);
  let at = TABLE_HEAD_BYTES;
  for (const [row] of entries) at = payload.writeUInt32LE(row, at);
  for (const [, verdict] of entries) at = payload.writeUInt16LE(nodeIndex(verdict.at), at);
  for (const [, verdict] of entries) at = payload.writeUInt16LE(nodeIndex(verdict.because?.at), at);
  for (const [, verdict] of entries) at = payload.writeUInt8(causeIndex(verdict.cause), at);
  for (const [, verdict] of entries) at = payload.writeUInt8(causeIndex(verdict.because?.cause), at);
  return payload;
}

function indexOr(names: readonly string[], name: string | undefined, none: number): number {
  const index = name === undefined ? -1 : names.indexOf(name);
  return index === -1 ? none : index;
}

function tablePayload(fields: number[], bytes: number): Buffer {
  const payload = Buffer.alloc(TABLE_HEAD_BYTES + bytes);
  fields.forEach((field, index) => {
    payload.writeUInt32LE(field, index * 4);
  });
  return payload;
}

function writeFrame(fd: number, kind: number, payload: Buffer): void {
  const padded = Math.ceil(payload.length / 8) * 8;
  const frame = Buffer.alloc(FRAME_HEAD_BYTES + padded);
  frame.writeUInt32LE(kind, 0);
  frame.writeUInt32LE(payload.length, 4);
  payload.copy(frame, FRAME_HEAD_BYTES);
  writeAll(fd, frame);
}

function writeAll(fd: number, bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) at += writeSync(fd, bytes, at);
}
