/** Finds segments in a tap's table by sequence number or by ports, without an object per segment. */
import { type TapTable, TcpFlag } from '../observe/observations.js';
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
  /** SYNs without ACK that carry this initial sequence number, in the order of their time. */
  syns(sequence: number, filter?: SegmentFilter): number[];
  /** SYN+ACKs or RSTs that acknowledge this initial sequence number. */
  answers(sequence: number, kind: 'syn-ack' | 'rst', filter?: SegmentFilter): number[];
  /** What `syns` and `answers` give of this initial sequence number, of both ways, by one look. */
  handshake(isn: number, filter?: SegmentFilter): Handshake;
  /** Segments between two endpoints, in that direction. */
  between(
    source: number,
    sourcePort: number,
    destination: number,
    destinationPort: number,
    flag: number,
    filter?: SegmentFilter,
  ): number[];
}

const SYN_ACK = TcpFlag.syn | TcpFlag.ack;

/** Indexes a table; each index is built when it is first asked for. */
export function tapIndex(table: TapTable): TapIndex {
  let byIsn: RowIndex | undefined;
  let byEnds: RowIndex | undefined;
  let resetsByEnds: RowIndex | undefined;
  const { timeNs, source, sourcePort, destination, destinationPort, sequence, acknowledgement, flags, outgoing } =
    table;

  const isPlainSyn = (row: number) => (flags[row] & SYN_ACK) === TcpFlag.syn;

  /** The initial sequence number of whoever opened the connection, in its SYN and in each answer to that. */
  function isnOf(row: number): number {
    if (isPlainSyn(row)) return sequence[row] | 0;
    return flags[row] & TcpFlag.ack ? (acknowledgement[row] - 1) | 0 : NO_KEY;
  }

  const endsOf = (row: number) => endsKey(source[row], sourcePort[row], destination[row], destinationPort[row]);

  function collect(index: RowIndex, key: number, wanted: (row: number) => boolean, filter?: SegmentFilter): number[] {
    const found: number[] = [];
    const [from, to] = bucketOf(index, key);
    for (let at = from; at < to; at++) {
      const row = index.rows[at];
      if (wanted(row) && (filter === undefined || passes(row, filter))) found.push(row);
    }
    return found;
  }

  function passes(row: number, filter: SegmentFilter): boolean {
    if (filter.fromNs !== undefined && timeNs[row] < filter.fromNs) return false;
    if (filter.toNs !== undefined && timeNs[row] > filter.toNs) return false;
    return filter.outgoing === undefined || (outgoing[row] === 1) === filter.outgoing;
  }

  return {
    table,
    syns(isn, filter) {
      byIsn ??= rowIndex(table.length, isnOf);
      return collect(byIsn, isn, (row) => isPlainSyn(row) && sequence[row] === isn, filter);
    },
    answers(isn, kind, filter) {
      byIsn ??= rowIndex(table.length, isnOf);
      const wanted = TcpFlag.ack | (kind === 'syn-ack' ? TcpFlag.syn : TcpFlag.rst);
      const acknowledged = (isn + 1) >>> 0;
      return collect(
        byIsn,
        isn,
        (row) => (flags[row] & wanted) === wanted && acknowledgement[row] === acknowledged,
        filter,
      );
    },
    handshake(isn, filter) {
      byIsn ??= rowIndex(table.length, isnOf);
      const found: Handshake = { synIn: [], synOut: [], answerIn: [], answerOut: [] };
      const acknowledged = (isn + 1) >>> 0;
      const [from, to] = bucketOf(byIsn, isn);
      for (let at = from; at < to; at++) {
        const row = byIsn.rows[at];
        if (filter !== undefined && !passes(row, filter)) continue;
        const out = outgoing[row] === 1;
        if (isPlainSyn(row)) {
          if (sequence[row] === isn) (out ? found.synOut : found.synIn).push(row);
        } else if (acknowledgement[row] === acknowledged && (flags[row] & SYN_ACK) === SYN_ACK)
          (out ? found.answerOut : found.answerIn).push(row);
      }
      return found;
    },
    between(from, fromPort, to, toPort, flag, filter) {
      // RSTs are few, and an index of them alone costs next to nothing.
      if (flag === TcpFlag.rst)
        resetsByEnds ??= rowIndex(table.length, (row) => (flags[row] & TcpFlag.rst ? endsOf(row) : NO_KEY));
      else byEnds ??= rowIndex(table.length, endsOf);
      return collect(
        (flag === TcpFlag.rst ? resetsByEnds : byEnds)!,
        endsKey(from, fromPort, to, toPort),
        (row) =>
          sourcePort[row] === fromPort &&
          destinationPort[row] === toPort &&
          source[row] === from &&
          destination[row] === to &&
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
