/** What happened to a gateway's connection table as columns, because a million connections are two million events. */
import { numberToIp } from '../sys/ip.js';
import type { ConntrackEvent, ConntrackLog } from './observations.js';

/** The columns of a log, by what holds them. */
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

/** One row of a log in words. */
export function conntrackEvent(log: ConntrackLog, row: number): ConntrackEvent {
  return {
    timeNs: log.timeNs[row],
    type: log.type[row] === EntryEvent.new ? 'new' : 'destroy',
    source: `${numberToIp(log.source[row])}:${log.sourcePort[row]}`,
    destination: `${numberToIp(log.destination[row])}:${log.destinationPort[row]}`,
    translated: `${numberToIp(log.translated[row])}:${log.translatedPort[row]}`,
    state: stateName(log.state[row]),
  };
}
