/**
 * haproxy's ring buffer in a file, as lines. Of its transports for a log only this one loses nothing: to stdout it drops a line when
 * another thread is writing, and sockets drop what their reader is too slow for.
 */

/** Size of the buffer, in a file of which only what is written takes room: a million requests, bytes. */
export const RING_BYTES = 512 * 1024 * 1024;

/** How the names of such files end. */
export const RING_SUFFIX = '.ring';

/** A record is a counter of one byte, 0, the length as a varint of up to three, and the line; before the first one there is a header. */
const LINE = /<\d+>1 \d{4}-[^\0]*$/;

interface RingReader {
  /** The lines that these bytes make whole; the last one may still be on its way. */
  push(bytes: Buffer): string[];
  /** The file has ended: the line that was still on its way, if there is one. */
  end(): string[];
}

/**
 * Takes the file's bytes in pieces, in their order, and gives the lines that they hold, as latin1. A line is given when the one behind it
 * begins; `end` gives the last one.
 */
export function ringReader(): RingReader {
  let rest = '';
  const linesOf = (records: string[]) => records.flatMap((record) => LINE.exec(record)?.[0].trimEnd() ?? []);
  return {
    push(bytes) {
      const records = (rest + bytes.toString('latin1')).split('\0');
      rest = records.pop() ?? '';
      return linesOf(records);
    },
    end: () => linesOf([rest]),
  };
}
