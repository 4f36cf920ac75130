/**
 * Ports in use by pool, counted without an object per socket. A pool is what a port is taken from: a source address together with a
 * destination's address and port, for the kernel needs only the four of them together to be unique.
 */
import { numberToIp } from '../sys/ip.js';

/** TIME_WAIT lasts so long, s; the kernel has no setting for it (TCP_TIMEWAIT_LEN). */
export const TIME_WAIT_SECONDS = 60;

/** A counted pool: ports are those of the watched range. */
export interface PoolCount {
  /** Address of this machine. */
  source: string;
  /** The other side, `198.18.1.1:8080` or `[2001:db8::1]:8080`. */
  destination: string;
  /** Sockets that are not in TIME_WAIT. */
  live: number;
  /** Sockets in TIME_WAIT. */
  timeWait: number;
  /** Those in TIME_WAIT by the whole seconds since they entered it; `TIME_WAIT_SECONDS` numbers. */
  timeWaitByAge: Uint16Array;
}

/** Pools and their counts, by row from 0. */
export interface PoolTable {
  /** How many pools there are. */
  readonly rows: number;
  /** Empties it; the memory is kept. */
  clear(): void;
  /**
   * Row of the pool of a socket, made where it is new. The addresses lie at `source` and `destination` in `view`,
   * in network byte order, four bytes of them or, with `wide`, sixteen.
   */
  rowOf(view: DataView, source: number, destination: number, port: number, wide: boolean): number;
  /** Counts a socket that is not in TIME_WAIT. */
  addLive(row: number): void;
  /** Counts a socket in TIME_WAIT that has been there for so many seconds. */
  addTimeWait(row: number, age: number): void;
  /** Live sockets of a row. */
  live(row: number): number;
  /** Sockets of a row that are in TIME_WAIT for less than `seconds`, a whole number. */
  timeWaitYoungerThan(row: number, seconds: number): number;
  /** Whether one of its addresses is of loopback (127.0.0.0/8, ::1). */
  isLoopback(row: number): boolean;
  /** All of a row, as a value of its own. */
  read(row: number): PoolCount;
}

/** Source, destination, 4 words each, and port. */
const KEY_WORDS = 9;
/** The word before an IPv4 address that is written as an IPv6 one (::ffff:198.18.0.1): sockets of both kinds share their ports. */
const MAPPED = 0xffff;

/** An empty table. It grows by doubling. */
export function poolTable(): PoolTable {
  let capacity = 512;
  let rows = 0;
  // Open addressing, never more than half full; a slot holds a row + 1.
  let slots = new Uint32Array(capacity * 2);
  let keys = new Uint32Array(capacity * KEY_WORDS);
  let live = new Uint32Array(capacity);
  let ages = new Uint16Array(capacity * TIME_WAIT_SECONDS);
  const key = new Uint32Array(KEY_WORDS);

  function setAddress(word: number, view: DataView, at: number, wide: boolean): void {
    key[word] = wide ? view.getUint32(at) : 0;
    key[word + 1] = wide ? view.getUint32(at + 4) : 0;
    key[word + 2] = wide ? view.getUint32(at + 8) : MAPPED;
    key[word + 3] = view.getUint32(at + (wide ? 12 : 0));
  }

  /** The slot of a key that begins at `from` in `of`, or the free one where it belongs. */
  function slotOf(of: Uint32Array, from: number): number {
    let hash = 0;
    for (let word = 0; word < KEY_WORDS; word++) {
      hash = Math.imul(hash ^ of[from + word], 0x9e3779b1);
      hash ^= hash >>> 15;
    }
    const mask = slots.length - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const row = slots[slot] - 1;
      if (row < 0 || sameKey(of, from, keys, row * KEY_WORDS)) return slot;
    }
  }

  function grow(): void {
    capacity *= 2;
    keys = enlarged(keys, new Uint32Array(capacity * KEY_WORDS));
    live = enlarged(live, new Uint32Array(capacity));
    ages = enlarged(ages, new Uint16Array(capacity * TIME_WAIT_SECONDS));
    slots = new Uint32Array(capacity * 2);
    for (let row = 0; row < rows; row++) slots[slotOf(keys, row * KEY_WORDS)] = row + 1;
  }

  function timeWaitYoungerThan(row: number, seconds: number): number {
    let sum = 0;
    const from = row * TIME_WAIT_SECONDS;
    for (let age = from; age < from + Math.min(seconds, TIME_WAIT_SECONDS); age++) sum += ages[age];
    return sum;
  }

  return {
    get rows() {
      return rows;
    },
    clear() {
      slots.fill(0);
      rows = 0;
    },
    rowOf(view, source, destination, port, wide) {
      setAddress(0, view, source, wide);
      setAddress(4, view, destination, wide);
      key[8] = port;
      const slot = slotOf(key, 0);
      if (slots[slot] !== 0) return slots[slot] - 1;
      const row = rows++;
      keys.set(key, row * KEY_WORDS);
      live[row] = 0;
      ages.fill(0, row * TIME_WAIT_SECONDS, (row + 1) * TIME_WAIT_SECONDS);
      slots[slot] = row + 1;
      if (rows === capacity) grow();
      return row;
    },
    addLive(row) {
      live[row]++;
    },
    addTimeWait(row, age) {
      ages[row * TIME_WAIT_SECONDS + Math.max(0, Math.min(TIME_WAIT_SECONDS - 1, Math.floor(age)))]++;
    },
    live: (row) => live[row],
    timeWaitYoungerThan,
    isLoopback: (row) => isLoopback(keys, row * KEY_WORDS) || isLoopback(keys, row * KEY_WORDS + 4),
    read(row) {
      const words = keys.subarray(row * KEY_WORDS, (row + 1) * KEY_WORDS);
      const address = (from: number) => addressText(words.subarray(from, from + 4));
      const destination = address(4);
      return {
        source: address(0),
        destination: `${destination.includes(':') ? `[${destination}]` : destination}:${words[8]}`,
        live: live[row],
        timeWait: timeWaitYoungerThan(row, TIME_WAIT_SECONDS),
        timeWaitByAge: ages.slice(row * TIME_WAIT_SECONDS, (row + 1) * TIME_WAIT_SECONDS),
      };
    },
  };
}

function sameKey(one: Uint32Array, at: number, other: Uint32Array, from: number): boolean {
  for (let word = 0; word < KEY_WORDS; word++) if (one[at + word] !== other[from + word]) return false;
  return true;
}

function enlarged<Numbers extends Uint32Array | Uint16Array>(old: Numbers, larger: Numbers): Numbers {
  larger.set(old);
  return larger;
}

function isLoopback(words: Uint32Array, at: number): boolean {
  if (words[at] !== 0 || words[at + 1] !== 0) return false;
  return words[at + 2] === MAPPED ? words[at + 3] >>> 24 === 127 : words[at + 2] === 0 && words[at + 3] === 1;
}

/** An address of four words as text: dotted where it is one of IPv4. */
export function addressText(words: ArrayLike<number>): string {
  if (words[0] === 0 && words[1] === 0 && words[2] === MAPPED) return numberToIp(words[3]);
  const groups = Array.from(words).flatMap((word) => [word >>> 16, word & 0xffff]);
  const text = groups.map((group) => group.toString(16)).join(':');
  // URL writes an address in its shortest form (RFC 5952).
  return new URL(`http://[${text}]`).hostname.slice(1, -1);
}
