/** Finds the changes of a gateway's connection table by a connection's source, without an object per event. */
import { groupBy } from '../collections.js';
import { conntrackEvent, ENTRY_STATES, EntryEvent } from '../observe/conntrack-table.js';
import { timeAt } from '../observe/narrow.js';
import type { ConntrackEvent, ConntrackLog } from '../observe/observations.js';
import { ipToNumber } from '../sys/ip.js';
import type { Bounds } from './bounds.js';
import { bucketOf, type RowIndex, rowIndex } from './row-index.js';

/** One gateway's log with its indexes. */
export interface ConntrackIndex {
  /** What it noted of connections from that `address:port` in that time (all of it where none is given), by time. */
  from(source: string, bounds?: Bounds): ConntrackEvent[];
  /** Entries of connections to that `address:port` that went although they had not been closed, by time. */
  forgotten(destination: string): ConntrackEvent[];
}

const ALWAYS: Bounds = { fromNs: Number.NEGATIVE_INFINITY, toNs: Number.POSITIVE_INFINITY };
const ESTABLISHED = ENTRY_STATES.indexOf('ESTABLISHED');

/** Indexes a log; each index is built when it is first asked for. */
export function conntrackIndex(log: ConntrackLog): ConntrackIndex {
  let bySource: RowIndex | undefined;
  let gone: Map<string, ConntrackEvent[]> | undefined;
  return {
    from(source, { fromNs, toNs } = ALWAYS) {
      bySource ??= rowIndex(log.length, (row) => sourceKey(log.addresses[log.source[row]], log.sourcePort[row]));
      const colon = source.indexOf(':');
      const [address, port] = [ipToNumber(source.slice(0, colon)), Number(source.slice(colon + 1))];
      const [from, to] = bucketOf(bySource, sourceKey(address, port));
      const found: ConntrackEvent[] = [];
      for (let at = from; at < to; at++) {
        const row = bySource.rows[at];
        if (log.sourcePort[row] !== port || log.addresses[log.source[row]] !== address) continue;
        const ns = timeAt(log.times, row);
        if (ns >= fromNs && ns <= toNs) found.push(conntrackEvent(log, row));
      }
      return found;
    },
    forgotten(destination) {
      gone ??= groupBy(forgottenEvents(log), (event) => event.destination);
      return gone.get(destination) ?? [];
    },
  };
}

/** Spread over 32 bits: ports are in the lower ones, and the addresses of a testbed differ in the lower ones as well. */
const sourceKey = (address: number, port: number) => ((port << 16) ^ Math.imul(address, 0x85eb_ca6b)) | 0;

function* forgottenEvents(log: ConntrackLog): Generator<ConntrackEvent> {
  for (let row = 0; row < log.length; row++)
    if (log.type[row] === EntryEvent.destroy && log.state[row] === ESTABLISHED) yield conntrackEvent(log, row);
}
