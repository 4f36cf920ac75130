/** Finds segments in a tap's table by sequence number or by ports, without an object per segment. */
import { timeAt } from '../observe/narrow.js';
import { OUTGOING, type TapTable, TcpFlag } from '../observe/observations.js';
import { numberToIp } from '../sys/ip.js';
import type { RoughSet } from './rough-set.js';
import { bucketOf, NO_KEY, type RowIndex, rowIndex } from './row-index.js';

/** Which segments are wanted. */
export interface SegmentFilter {
  /** Inclusive bounds, ns since the run's start. */
  fromNs?: number;
  toNs?: number;
  outgoing?: boolean;
}

/** Rows of one connection's SYNs and SYN+ACKs, by the way that they went; each in the order of their time. */
export interface Handshake {
  synIn: number[];
  synOut: number[];
  answerIn: number[];
  answerOut: number[];
}

/** One tap's table with its indexes. Segments are given by their row, in the order of their time. */
export interface TapIndex {
  table: TapTable;
  /** A segment's time, ns since the run's start. */
  timeNs(row: number): number;
  /** Where it came from, `address:port`. */
  source(row: number): string;
  /** Where it went to, `address:port`. */
  destination(row: number): string;
  /** SYNs without ACK that carry this initial sequence number, in the order of their time. */
  syns(sequence: number, filter?: SegmentFilter): number[];
  /** SYN+ACKs or RSTs that acknowledge this initial sequence number. */
  answers(sequence: number, kind: 'syn-ack' | 'rst', filter?: SegmentFilter): number[];
  /** What `syns` and `answers` give of this initial sequence number, of both ways, by one look. */
  handshake(isn: number, filter?: SegmentFilter): Handshake;
  /** SYNs without ACK (`TcpFlag.syn`) or RSTs (`TcpFlag.rst`) between two endpoints, in that direction. */
  between(
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    flag: typeof TcpFlag.syn | typeof TcpFlag.rst,
    filter?: SegmentFilter,
  ): number[];
}

const SYN_ACK = TcpFlag.syn | TcpFlag.ack;

/** Indexes a table; each index is built when it is first asked for. By sequence number at first only the `expected` ones are. */
export function tapIndex(table: TapTable, expected?: () => RoughSet): TapIndex {
  /** What the index by sequence number is confined to; undefined: to nothing. */
  let known = expected?.();
  let byIsn: RowIndex | undefined;
  let synsByEnds: RowIndex | undefined;
  let resetsByEnds: RowIndex | undefined;
  const texts: string[] = [];
  const { times, addresses, source, sourcePort, destination, destinationPort, isn: isns, flags } = table;

  const isPlainSyn = (row: number) => (flags[row] & SYN_ACK) === TcpFlag.syn;
  const hasIsn = (row: number) => (flags[row] & SYN_ACK) !== 0;
  const isnKey = (row: number) =>
    hasIsn(row) && (known === undefined || known.has(isns[row])) ? isns[row] | 0 : NO_KEY;
  const endsOf = (row: number) =>
    endsKey(addresses[source[row]], sourcePort[row], addresses[destination[row]], destinationPort[row]);

  function addressText(place: number): string {
    texts[place] ??= numberToIp(addresses[place]);
    return texts[place];
  }

  /** An index in which the segments of this connection are. */
  function isnIndex(isn: number): RowIndex {
    if (known !== undefined && !known.has(isn)) {
      known = undefined;
      byIsn = undefined;
    }
    byIsn ??= rowIndex(table.length, isnKey);
    return byIsn;
  }

  function endsIndex(flag: number): RowIndex {
    if (flag !== TcpFlag.rst) {
      synsByEnds ??= rowIndex(table.length, (row) => (isPlainSyn(row) ? endsOf(row) : NO_KEY));
      return synsByEnds;
    }
    // RSTs are few, and an index of them alone costs next to nothing.
    resetsByEnds ??= rowIndex(table.length, (row) => (flags[row] & TcpFlag.rst ? endsOf(row) : NO_KEY));
    return resetsByEnds;
  }

  function collect(index: RowIndex, key: number, wanted: (row: number) => boolean, filter?: SegmentFilter): number[] {
    const found: number[] = [];
    const [from, to] = bucketOf(index, key);
    for (let at = from; at < to; at++) {
      const row = index.rows[at];
      if (wanted(row) && (filter === undefined || passes(row, filter))) found.push(row);
    }
    return found;
  }

  function passes(row: number, { fromNs, toNs, outgoing }: SegmentFilter): boolean {
    if (outgoing !== undefined && (flags[row] & OUTGOING) !== (outgoing ? OUTGOING : 0)) return false;
    if (fromNs === undefined && toNs === undefined) return true;
    const ns = timeAt(times, row);
    return (fromNs === undefined || ns >= fromNs) && (toNs === undefined || ns <= toNs);
  }

  return {
    table,
    timeNs: (row) => timeAt(times, row),
    source: (row) => `${addressText(source[row])}:${sourcePort[row]}`,
    destination: (row) => `${addressText(destination[row])}:${destinationPort[row]}`,
    syns(isn, filter) {
      return collect(isnIndex(isn), isn, (row) => isPlainSyn(row) && isns[row] === isn, filter);
    },
    answers(isn, kind, filter) {
      const wanted = TcpFlag.ack | (kind === 'syn-ack' ? TcpFlag.syn : TcpFlag.rst);
      return collect(isnIndex(isn), isn, (row) => (flags[row] & wanted) === wanted && isns[row] === isn, filter);
    },
    handshake(isn, filter) {
      const index = isnIndex(isn);
      const found: Handshake = { synIn: [], synOut: [], answerIn: [], answerOut: [] };
      const [from, to] = bucketOf(index, isn);
      for (let at = from; at < to; at++) {
        const row = index.rows[at];
        if (isns[row] !== isn || (filter !== undefined && !passes(row, filter))) continue;
        const out = (flags[row] & OUTGOING) !== 0;
        const kind = flags[row] & SYN_ACK;
        if (kind === TcpFlag.syn) (out ? found.synOut : found.synIn).push(row);
        else if (kind === SYN_ACK) (out ? found.answerOut : found.answerIn).push(row);
      }
      return found;
    },
    between(from, fromPort, to, toPort, flag, filter) {
      const index = endsIndex(flag);
      if (index.rows.length === 0) return [];
      return collect(
        index,
        endsKey(from, fromPort, to, toPort),
        (row) =>
          sourcePort[row] === fromPort &&
          destinationPort[row] === toPort &&
          addresses[source[row]] === from &&
          addresses[destination[row]] === to &&
          (flags[row] & flag) !== 0,
        filter,
      );
    },
  };
}

/** Both ends as one number that few others share. */
function endsKey(source: number, sourcePort: number, destination: number, destinationPort: number): number {
  return (
    (((sourcePort << 16) | destinationPort) ^ Math.imul(source, 0x85eb_ca6b) ^ Math.imul(destination, 0xc2b2_ae35)) | 0
  );
}
