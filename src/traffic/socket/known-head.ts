/**
 * The head that a sending thread has read last, by its bytes. A server's answers mostly have the same head, but for its date once a second: the
 * same bytes say the same, and comparing them costs a tenth of reading them, and leaves nothing to the garbage collector.
 */
import type { ResponseHead } from './http-head.js';

/** Longest head that is kept, bytes, its empty line included. */
const MOST_BYTES = 2048;

/** A head and its bytes; `length` 0: none yet. */
export interface KnownHead {
  bytes: Buffer;
  /** Bytes of it, its empty line included. */
  length: number;
  head: ResponseHead;
}

/** None yet; for all connections of a thread. */
export function knownHead(): KnownHead {
  return {
    bytes: Buffer.allocUnsafeSlow(MOST_BYTES),
    length: 0,
    head: { status: 0, keepAlive: true, length: -1, coding: 'none', cookies: undefined },
  };
}

/** Whether bytes `from`..`to` begin with that head. */
export function beginsWith(known: KnownHead, bytes: Buffer, from: number, to: number): boolean {
  const { length } = known;
  return length > 0 && to - from >= length && bytes.compare(known.bytes, 0, length, from, from + length) === 0;
}

/** Keeps the head of these bytes in place of the one before. */
export function keepHead(known: KnownHead, bytes: Buffer, from: number, to: number, head: ResponseHead): void {
  if (to - from > MOST_BYTES) return;
  known.length = bytes.copy(known.bytes, 0, from, to);
  Object.assign(known.head, head);
}
