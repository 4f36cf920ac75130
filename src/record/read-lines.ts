/** Reads a record's files of JSON lines: all of them, a part, or those that begin with certain ids. A half line at the end was cut off by a crash. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 4 << 20;
const LINE_END = 0x0a;
const QUOTE = 0x22;
const ID = Buffer.from('{"id":"');

/** A part of a file that begins and ends between two lines: its first byte, and the one behind its last. */
export interface Span {
  from: number;
  to: number;
}

const WHOLE: Span = { from: 0, to: Number.POSITIVE_INFINITY };

/** The whole lines of a file as bytes, in their order; none of a file that is not there. */
function* rawLines(path: string, { from, to }: Span = WHOLE): Generator<Buffer, void, undefined> {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (let next = from; next < to; ) {
      const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, to - next));
      const got = readSync(fd, chunk, 0, chunk.length, next);
      if (got === 0) return;
      next += got;
      const text = Buffer.concat([rest, chunk.subarray(0, got)]);
      let at = 0;
      for (let end = text.indexOf(LINE_END, at); end >= 0; end = text.indexOf(LINE_END, at)) {
        yield text.subarray(at, end);
        at = end + 1;
      }
      rest = text.subarray(at);
    }
  } finally {
    closeSync(fd);
  }
}

/** Every line's value, of the file or of a part of it; lines that are no JSON are passed over. */
export function* readLines<Value>(path: string, span?: Span): Generator<Value, void, undefined> {
  for (const line of rawLines(path, span)) {
    const value = parsed<Value>(line);
    if (value !== undefined) yield value;
  }
}

/**
 * Where the lines of each group stand, from the first to the last; those of others may be among them. `groupOf` gets each line as bytes, and
 * answers undefined for one that is of no interest.
 */
export function spansOf(path: string, groupOf: (line: Buffer) => string | undefined): Map<string, Span> {
  const spans = new Map<string, Span>();
  let from = 0;
  for (const line of rawLines(path)) {
    const to = from + line.length + 1;
    const group = groupOf(line);
    if (group !== undefined) spans.set(group, { from: spans.get(group)?.from ?? from, to });
    from = to;
  }
  return spans;
}

/**
 * The values of the lines whose first field is one of these ids, by their id, from one pass that ends with the last of them. Lines with other
 * ids are compared, not parsed; of those without an id that the pass comes by, `onOther` gets the values.
 */
export function findLinesOf<Value, Other = never>(
  path: string,
  ids: ReadonlySet<string>,
  onOther?: (value: Other) => void,
): Map<string, Value> {
  const found = new Map<string, Value>();
  if (ids.size === 0) return found;
  for (const line of rawLines(path)) {
    if (line.subarray(0, ID.length).equals(ID)) {
      const id = line.toString('latin1', ID.length, line.indexOf(QUOTE, ID.length));
      const value = ids.has(id) && !found.has(id) ? parsed<Value>(line) : undefined;
      if (value !== undefined) found.set(id, value);
      if (found.size === ids.size) return found;
    } else if (onOther !== undefined) {
      const value = parsed<Other>(line);
      if (value !== undefined) onOther(value);
    }
  }
  return found;
}

function parsed<Value>(line: Buffer): Value | undefined {
  try {
    return JSON.parse(line.toString()) as Value;
  } catch {
    return undefined;
  }
}
