/** A set of SYNs by sender and sequence number: eight bytes each, where a text for each would take a hundred. */
import { ipToNumber } from '../sys/ip.js';
import { narrowAddresses } from './narrow.js';

/** Plain data, so that an agent can send it. */
export interface SynTable {
  /** Raw IPv4 addresses, host byte order. */
  addresses: Uint32Array;
  /** An address's place in the list times 2^32, plus a sequence number; rising. */
  keys: Float64Array;
  /** It had no room for more: a SYN that is not in it may have been left out. */
  full?: true;
}

const SEQUENCES = 2 ** 32;

/** The table of the SYNs with these senders and sequence numbers, side by side. */
export function synTable(senders: Uint32Array, sequences: Uint32Array): SynTable {
  const { addresses, places } = narrowAddresses(senders);
  const [place] = places;
  const keys = Float64Array.from(sequences, (sequence, row) => place[row] * SEQUENCES + sequence);
  return { addresses, keys: keys.sort() };
}

/** The table of the SYNs with these names, `address:sequence`. */
export function synTableOf(names: ReadonlySet<string>): SynTable {
  const senders = new Uint32Array(names.size);
  const sequences = new Uint32Array(names.size);
  let row = 0;
  for (const name of names) {
    const colon = name.indexOf(':');
    senders[row] = ipToNumber(name.slice(0, colon));
    sequences[row++] = Number(name.slice(colon + 1));
  }
  return synTable(senders, sequences);
}

/** Whether this SYN, by its sender and sequence number, is one of the table's; undefined where the table was full and does not have it. */
export function hasSyn(table: SynTable, address: number, sequence: number): boolean | undefined {
  return isIn(table, address, sequence) || (table.full ? undefined : false);
}

function isIn({ addresses, keys }: SynTable, address: number, sequence: number): boolean {
  const place = addresses.indexOf(address);
  if (place < 0) return false;
  const key = place * SEQUENCES + sequence;
  let [low, high] = [0, keys.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return keys[low] === key;
}
