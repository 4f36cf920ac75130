/** A tap's table: what is noted of each segment while traffic runs, and how it is kept afterwards, in half of the memory. */
import { type Columns, sortedByTime } from './columns.js';
import { narrowAddresses, narrowTimes } from './narrow.js';
import { OUTGOING, type TapTable, TcpFlag } from './observations.js';

/** The columns that a tap fills; they mean what those of `TapTable` do. */
export const TAP_SHAPE = {
  timeNs: Float64Array,
  source: Uint32Array,
  destination: Uint32Array,
  sourcePort: Uint16Array,
  destinationPort: Uint16Array,
  isn: Uint32Array,
  flags: Uint8Array,
} as const;

const SYN_ACK = TcpFlag.syn | TcpFlag.ack;

/** The column `isn` of a segment with these numbers. */
export function isnOf(flags: number, sequence: number, acknowledgement: number): number {
  if ((flags & SYN_ACK) === TcpFlag.syn) return sequence;
  return (flags & TcpFlag.ack) === 0 ? 0 : (acknowledgement - 1) >>> 0;
}

/** The column `flags` of a segment with these TCP flags. */
export function flagsOf(tcpFlags: number, outgoing: boolean): number {
  return (tcpFlags & ~OUTGOING) | (outgoing ? OUTGOING : 0);
}

/** The first `length` rows of the columns as a table. Several cores fill a tap: neighbours can be out of order by a few microseconds. */
export function tapTable(
  host: string,
  columns: Columns<typeof TAP_SHAPE>,
  length: number,
  kernelDrops: number,
): TapTable {
  const { timeNs, source, destination, ...others } = sortedByTime(TAP_SHAPE, columns, length);
  const { addresses, places } = narrowAddresses(source, destination);
  const [from, to] = places;
  const { sourcePort, destinationPort, isn, flags } = others;
  return {
    host,
    length,
    times: narrowTimes(timeNs),
    addresses,
    source: from,
    destination: to,
    // Copies as well: what a tap has filled has room for up to twice as many.
    sourcePort: sourcePort.slice(),
    destinationPort: destinationPort.slice(),
    isn: isn.slice(),
    flags: flags.slice(),
    kernelDrops,
  };
}
