/** Reads a record's files of JSON lines: all of one kind, or the one line that begins with an id. A half line at the end was cut off by a crash. */
import { closeSync, existsSync, openSync, readSync } from 'node:fs';

const CHUNK_BYTES = 4 << 20;
const LINE_END = 0x0a;

/** The whole lines of a file as bytes, in their order; none of a file that is not there. */
function* rawLines(path: string): Generator<Buffer, void, undefined> {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    let rest = Buffer.alloc(0);
    for (;;) {
      const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      const got = readSync(fd, chunk, 0, CHUNK_BYTES, null);
      if (got === 0) return;
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

/** Every line's value; lines that are no JSON are passed over. */
export function* readLines<Value>(path: string): Generator<Value, void, undefined> {
  for (const line of rawLines(path)) {
    const value = parsed<Value>(line);
    if (value !== undefined) yield value;
  }
}

/** The value of the line whose first field is this `id`; undefined when there is none. Lines are compared, not parsed. */
export function findLineOf<Value>(path: string, id: string): Value | undefined {
  const head = Buffer.from(`{"id":${JSON.stringify(id)},`);
  for (const line of rawLines(path)) if (line.subarray(0, head.length).equals(head)) return parsed<Value>(line);
  return undefined;
}

/** Every line that has this text in it, parsed. Cheap where few do. */
export function* readLinesWith<Value>(path: string, text: string): Generator<Value, void, undefined> {
  for (const line of rawLines(path)) {
    if (!line.includes(text)) continue;
    const value = parsed<Value>(line);
    if (value !== undefined) yield value;
  }
}

function parsed<Value>(line: Buffer): Value | undefined {
  try {
    return JSON.parse(line.toString()) as Value;
  } catch {
    return undefined;
  }
}
