/** What happened to a gateway's connection table as columns, because a million connections are two million events. */
import { numberToIp } from '../sys/ip.js';
import { type Columns, sortedByTime } from './columns.js';
import { narrowAddresses, narrowTimes, timeAt } from './narrow.js';
import type { ConntrackEvent, ConntrackLog } from './observations.js';

/** The columns that are filled while traffic runs; they mean what those of `ConntrackLog` do. */
export const CONNTRACK_SHAPE = {
  timeNs: Float64Array,
  type: Uint8Array,
  source: Uint32Array,
  sourcePort: Uint16Array,
  destination: Uint32Array,
  destinationPort: Uint16Array,
  translated: Uint32Array,
  translatedPort: Uint16Array,
  state: Uint8Array,
} as const;

/** What the column `type` says. */
export const EntryEvent = { new: 0, destroy: 1 } as const;

/** TCP states of an entry by their number (enum tcp_conntrack of <linux/netfilter/nf_conntrack_tcp.h>). */
export const ENTRY_STATES = [
  'NONE',
  'SYN_SENT',
  'SYN_RECV',
  'ESTABLISHED',
  'FIN_WAIT',
  'CLOSE_WAIT',
  'LAST_ACK',
  'TIME_WAIT',
  'CLOSE',
  'SYN_SENT2',
] as const;

/** `state` of an entry whose message does not tell it. */
export const STATE_UNKNOWN = 0xff;

/** A state's name; undefined where the kernel does not say. */
export function stateName(state: number): string | undefined {
  return state === STATE_UNKNOWN ? undefined : ENTRY_STATES[state];
}

/** The first `length` rows of the columns as a log. */
export function conntrackLog(
  host: string,
  columns: Columns<typeof CONNTRACK_SHAPE>,
  length: number,
  overruns: number,
): ConntrackLog {
  const sorted = sortedByTime(CONNTRACK_SHAPE, columns, length);
  const { addresses, places } = narrowAddresses(sorted.source, sorted.destination, sorted.translated);
  const [source, destination, translated] = places;
  return {
    host,
    length,
    times: narrowTimes(sorted.timeNs),
    type: sorted.type.slice(),
    addresses,
    source,
    sourcePort: sorted.sourcePort.slice(),
    destination,
    destinationPort: sorted.destinationPort.slice(),
    translated,
    translatedPort: sorted.translatedPort.slice(),
    state: sorted.state.slice(),
    overruns,
  };
}

/** One row of a log in words. */
export function conntrackEvent(log: ConntrackLog, row: number): ConntrackEvent {
  const { addresses } = log;
  return {
    timeNs: timeAt(log.times, row),
    type: log.type[row] === EntryEvent.new ? 'new' : 'destroy',
    source: `${numberToIp(addresses[log.source[row]])}:${log.sourcePort[row]}`,
    destination: `${numberToIp(addresses[log.destination[row]])}:${log.destinationPort[row]}`,
    translated: `${numberToIp(addresses[log.translated[row]])}:${log.translatedPort[row]}`,
    state: stateName(log.state[row]),
  };
}
