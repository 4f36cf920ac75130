/** Finds segments in a tap's table by sequence number or by ports, without an object per segment. */
import { type TapTable, TcpFlag } from '../observe/observations.js';

/** Which segments are wanted. */
export interface SegmentFilter {
  /** Inclusive bounds, ns since the run's start. */
  fromNs?: number;
  toNs?: number;
  outgoing?: boolean;
}

/** One tap's table with its indexes. Segments are given by their row, in the order of their time. */
export interface TapIndex {
  table: TapTable;
  /** SYNs without ACK that carry this initial sequence number, in the order of their time. */
  syns(sequence: number, filter?: SegmentFilter): number[];
  /** SYN+ACKs or RSTs that acknowledge this initial sequence number. */
  answers(sequence: number, kind: 'syn-ack' | 'rst', filter?: SegmentFilter): number[];
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

/** Chains of row numbers under a numeric key, held in one Map and one array. */
interface Chains {
  last: Map<number, number>;
  previous: Int32Array;
}

/** Indexes a table; each index is built when it is first asked for. */
export function tapIndex(table: TapTable): TapIndex {
  let bySequence: Chains | undefined;
  let byAcknowledged: Chains | undefined;
  let byPorts: Chains | undefined;
  let resetsByPorts: Chains | undefined;

  function chains(key: (row: number) => number): Chains {
    const last = new Map<number, number>();
    const previous = new Int32Array(table.length).fill(-1);
    for (let row = 0; row < table.length; row++) {
      const k = key(row);
      if (k < 0) continue;
      previous[row] = last.get(k) ?? -1;
      last.set(k, row);
    }
    return { last, previous };
  }

  function collect(index: Chains, key: number, wanted: (row: number) => boolean, filter: SegmentFilter = {}): number[] {
    const rows: number[] = [];
    for (let row = index.last.get(key) ?? -1; row >= 0; row = index.previous[row]) {
      if (filter.fromNs !== undefined && table.timeNs[row] < filter.fromNs) continue;
      if (filter.toNs !== undefined && table.timeNs[row] > filter.toNs) continue;
      if (filter.outgoing !== undefined && (table.outgoing[row] === 1) !== filter.outgoing) continue;
      if (wanted(row)) rows.push(row);
    }
    return rows.reverse();
  }

  const plainSyn = (row: number) => (table.flags[row] & (TcpFlag.syn | TcpFlag.ack)) === TcpFlag.syn;
  const ports = (source: number, destination: number) => source * 65_536 + destination;

  return {
    table,
    syns(sequence, filter) {
      bySequence ??= chains((row) => (plainSyn(row) ? table.sequence[row] : -1));
      return collect(bySequence, sequence, () => true, filter);
    },
    answers(sequence, kind, filter) {
      byAcknowledged ??= chains((row) => (table.flags[row] & TcpFlag.ack ? table.acknowledgement[row] : -1));
      const flag = kind === 'syn-ack' ? TcpFlag.syn : TcpFlag.rst;
      return collect(byAcknowledged, (sequence + 1) >>> 0, (row) => (table.flags[row] & flag) !== 0, filter);
    },
    between(source, sourcePort, destination, destinationPort, flag, filter) {
      const key = (row: number) => ports(table.sourcePort[row], table.destinationPort[row]);
      // RSTs are few, and an index of them alone costs next to nothing.
      if (flag === TcpFlag.rst) resetsByPorts ??= chains((row) => (table.flags[row] & TcpFlag.rst ? key(row) : -1));
      else byPorts ??= chains(key);
      return collect(
        (flag === TcpFlag.rst ? resetsByPorts : byPorts)!,
        ports(sourcePort, destinationPort),
        (row) =>
          table.source[row] === source && table.destination[row] === destination && (table.flags[row] & flag) !== 0,
        filter,
      );
    },
  };
}
