/**
 * Connections that have had their turn of reading and may have more to read: nothing tells of them again before they have been read from, so they stand in
 * line here for their next turn.
 */

/** Bits of a descriptor's state. */
const IN_LINE = 1;
const WAITS = 2;

/** The line of one sending thread; each descriptor stands in it once at most. */
export interface UnreadLine {
  /** How many stand in it, those that have been left out since counted as well. */
  readonly length: number;
  /** Puts it at the end; one that stands in the line already keeps its place. */
  add(fd: number): void;
  /** Whether it waits for its turn. */
  has(fd: number): boolean;
  /** It waits no longer: it is closed. */
  leaveOut(fd: number): void;
  /** Takes the first out of the line; -1 when that has been left out since. */
  next(): number;
}

/** An empty line for descriptors below `descriptors`. */
export function unreadLine(descriptors: number): UnreadLine {
  const state = new Uint8Array(descriptors);
  const line = new Int32Array(descriptors);
  let first = 0;
  let length = 0;
  return {
    get length() {
      return length;
    },
    add(fd) {
      if (!(state[fd] & IN_LINE)) line[(first + length++) % descriptors] = fd;
      state[fd] = IN_LINE | WAITS;
    },
    has: (fd) => (state[fd] & WAITS) !== 0,
    leaveOut(fd) {
      state[fd] &= ~WAITS;
    },
    next() {
      const fd = line[first];
      const waits = state[fd] & WAITS;
      state[fd] = 0;
      first = (first + 1) % descriptors;
      length--;
      return waits ? fd : -1;
    },
  };
}
