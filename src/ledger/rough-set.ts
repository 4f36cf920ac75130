/** A set in few bits that may hold more than was put in (a Bloom filter with one hash; Bloom, CACM 13(7), 1970). */
import { SPREAD } from './row-index.js';

/** A set of integers that may hold more than was put in: half a megabyte, however many there are. */
export interface RoughSet {
  /** Puts one in, an integer of 32 bits. */
  add(value: number): void;
  /** True for all that were added, and for few others. */
  has(value: number): boolean;
}

/** Bits of a rough set, as a power of two. */
const BITS = 22;

/** An empty set of integers of 32 bits. */
export function roughSet(): RoughSet {
  const bits = new Uint32Array(2 ** (BITS - 5));
  const placeOf = (value: number) => Math.imul(value, SPREAD) >>> (32 - BITS);
  return {
    add(value) {
      const place = placeOf(value);
      bits[place >>> 5] |= 1 << (place & 31);
    },
    has(value) {
      const place = placeOf(value);
      return ((bits[place >>> 5] >>> (place & 31)) & 1) === 1;
    },
  };
}
