/**
 * The format of `requests.bin` (docs/record.md): frames behind an eight-byte head, appended while the run goes, so that a file
 * whose end is missing is readable up to its last whole frame. Everything is little-endian.
 *
 *     'PPRQ' version            once
 *     kind length payload       one frame; the payload is filled up with zeros to a multiple of 8 bytes
 *
 *     trial     JSON: what the following rows belong to, the tables that they index, the columns they have
 *     rows      trial, first row, count; then column after column
 *     verdicts  trial, count; then the columns of VERDICT_COLUMNS, one entry per dropped or delayed row
 */
import { COLUMNS } from '../traffic/outcomes.js';

/** The file's first four bytes, ASCII. */
export const MAGIC = 'PPRQ';
/** The u32 behind `MAGIC`. A reader refuses a file with another one (exit 2). */
export const FORMAT_VERSION = 1;
/** Bytes before the first frame. */
export const FILE_HEAD_BYTES = 8;
/** Bytes of a frame's kind and length. */
export const FRAME_HEAD_BYTES = 8;
/** Bytes of the fixed fields at the start of a `rows` or `verdicts` payload: four u32. */
export const TABLE_HEAD_BYTES = 16;
/** A frame holds at most so many rows, so that a reader's memory stays small. */
export const MOST_ROWS_PER_FRAME = 32_768;

/** A frame's first u32. Readers pass over kinds that they do not know. */
export const FrameKind = { trial: 1, rows: 2, verdicts: 3 } as const;

const ARRAY_TYPES = { f64: Float64Array, i32: Int32Array, u32: Uint32Array, u16: Uint16Array, u8: Uint8Array } as const;
/** Type of a column's values as the file's header names it: `u16` is an unsigned integer of 16 bits, `f64` a double. */
export type ColumnType = keyof typeof ARRAY_TYPES;
/** A column in memory. */
export type ColumnArray = InstanceType<(typeof ARRAY_TYPES)[ColumnType]>;

/** A column as the file's header names it. */
export type Column = [name: string, type: ColumnType];

/** The columns of a `rows` frame: those of the outcomes, in their order. */
export const ROW_COLUMNS: Column[] = COLUMNS.map(([name, type]) => [name, typeOf(type)]);

/** The columns of a `verdicts` frame; widest first. Indices point into the trial's `nodes` and `causes`; see NONE_8 and NONE_16. */
export const VERDICT_COLUMNS: Column[] = [
  ['row', 'u32'],
  ['at', 'u16'],
  ['becauseAt', 'u16'],
  ['cause', 'u8'],
  ['because', 'u8'],
];

/** An index that points nowhere, in a column of 8 bits. */
export const NONE_8 = 0xff;
/** The same in a column of 16 bits. */
export const NONE_16 = 0xffff;

/** The JSON of a `trial` frame. */
export interface TrialHeader {
  /** Number that the other frames of this trial carry. */
  segment: number;
  variant: string;
  trial: number;
  /** A request's id is `<idPrefix>.<visitor>.<step>`. */
  idPrefix: string;
  /** Names of the journey's steps; row `visitor * steps.length + step`. */
  steps: string[];
  /** Client hosts, by the column `client`. */
  clients: string[];
  /** Nodes, by a verdict's `at` and `becauseAt`. */
  nodes: string[];
  /** Causes, by a verdict's `cause` and `because`. */
  causes: string[];
  columns: Column[];
  /** Unix time of the trial's start, ms; the rows' times count from it. */
  startedAtMs: number;
}

/** Bytes of one row of these columns. */
export function rowBytes(columns: Column[]): number {
  return columns.reduce((sum, [, type]) => sum + ARRAY_TYPES[type].BYTES_PER_ELEMENT, 0);
}

/** Lays typed arrays of `count` elements over `bytes` from `offset` on, by column name. Copies, as a frame may start anywhere. */
export function layOut(
  columns: Column[],
  count: number,
  bytes: Uint8Array,
  offset: number,
): Record<string, ColumnArray> {
  const arrays: Record<string, ColumnArray> = {};
  let at = offset;
  for (const [name, type] of columns) {
    const length = count * ARRAY_TYPES[type].BYTES_PER_ELEMENT;
    arrays[name] = new ARRAY_TYPES[type](Uint8Array.from(bytes.subarray(at, at + length)).buffer);
    at += length;
  }
  return arrays;
}

/** Whether this build knows a column's type: a file from a later version may have others. */
export function isColumnType(type: string): type is ColumnType {
  return Object.hasOwn(ARRAY_TYPES, type);
}

function typeOf(array: (typeof COLUMNS)[number][1]): ColumnType {
  const found = (Object.keys(ARRAY_TYPES) as ColumnType[]).find((type) => (ARRAY_TYPES[type] as unknown) === array);
  if (found === undefined) throw new Error(`no file type for ${array.name}`);
  return found;
}
