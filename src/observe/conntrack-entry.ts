/** One entry of the connection table as netlink carries it (<linux/netfilter/nfnetlink_conntrack.h>), read in place. */
import { C } from '../sys/libc.js';
import { ENTRY_STATES, STATE_UNKNOWN } from './conntrack-table.js';
import { attributeEnd, findAttribute } from './netlink.js';

/** Bytes of struct nfgenmsg, which precedes the attributes. */
export const NFGEN_BYTES = 4;

/** Number of the state that follows both FINs. Whether such an entry still holds its port: `reusesFinishedPorts`. */
export const STATE_TIME_WAIT = ENTRY_STATES.indexOf('TIME_WAIT');
/** Number of the state that follows a RST; its port is as in TIME_WAIT. */
export const STATE_CLOSE = ENTRY_STATES.indexOf('CLOSE');

/** An entry's fields; addresses in host byte order. One object is filled again and again. */
export interface Entry {
  /** Before translation. */
  source: number;
  sourcePort: number;
  destination: number;
  destinationPort: number;
  /** After translation: whom the answers come from, and whom they go to. */
  peer: number;
  peerPort: number;
  translated: number;
  translatedPort: number;
  state: number;
  /** Offsets of 64-bit big-endian nanoseconds of CLOCK_REALTIME in the message; -1 where it has none. */
  startAt: number;
  stopAt: number;
  eventAt: number;
}

/** An entry to fill. */
export function newEntry(): Entry {
  return {
    source: 0,
    sourcePort: 0,
    destination: 0,
    destinationPort: 0,
    peer: 0,
    peerPort: 0,
    translated: 0,
    translatedPort: 0,
    state: STATE_UNKNOWN,
    startAt: -1,
    stopAt: -1,
    eventAt: -1,
  };
}

/** The attribute that leads to an entry's TCP state (enum ctattr_type of <linux/netfilter/nfnetlink_conntrack.h>): a nest. */
export const CTA_PROTOINFO = 4;
/** Inside `CTA_PROTOINFO`: the nest of TCP (enum ctattr_protoinfo of the same header). */
export const CTA_PROTOINFO_TCP = 1;
/** Inside `CTA_PROTOINFO_TCP`: one byte, an index of `ENTRY_STATES` (enum ctattr_protoinfo_tcp of the same header). */
export const CTA_PROTOINFO_TCP_STATE = 1;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_TIMESTAMP = 20;
/** When the event happened; kernel 6.14 and later, with `nf_conntrack_timestamp` set. */
const CTA_TIMESTAMP_EVENT = 27;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;
const CTA_TIMESTAMP_START = 1;
const CTA_TIMESTAMP_STOP = 2;

/** Fills `entry` from the message payload at `at`. False when it is not about TCP over IPv4. */
export function parseEntry(view: DataView, at: number, end: number, entry: Entry): boolean {
  if (view.getUint8(at) !== C.AF_INET) return false;
  entry.state = STATE_UNKNOWN;
  entry.startAt = -1;
  entry.stopAt = -1;
  entry.eventAt = -1;
  let tcp = false;
  for (let here = at + NFGEN_BYTES; here + 4 <= end; ) {
    const size = view.getUint16(here, true);
    if (size < 4) break;
    const payload = here + 4;
    const stop = here + size;
    switch (view.getUint16(here + 2, true) & 0x3fff) {
      case CTA_TUPLE_ORIG:
        tcp = parseTuple(view, payload, stop);
        if (!tcp) return false;
        entry.source = tuple.source;
        entry.sourcePort = tuple.sourcePort;
        entry.destination = tuple.destination;
        entry.destinationPort = tuple.destinationPort;
        break;
      case CTA_TUPLE_REPLY:
        if (!parseTuple(view, payload, stop)) return false;
        entry.peer = tuple.source;
        entry.peerPort = tuple.sourcePort;
        entry.translated = tuple.destination;
        entry.translatedPort = tuple.destinationPort;
        break;
      case CTA_PROTOINFO: {
        const info = findAttribute(view, payload, stop, CTA_PROTOINFO_TCP);
        const state = info < 0 ? -1 : findAttribute(view, info, attributeEnd(view, info), CTA_PROTOINFO_TCP_STATE);
        if (state >= 0) entry.state = view.getUint8(state);
        break;
      }
      case CTA_TIMESTAMP:
        entry.startAt = findAttribute(view, payload, stop, CTA_TIMESTAMP_START);
        entry.stopAt = findAttribute(view, payload, stop, CTA_TIMESTAMP_STOP);
        break;
      case CTA_TIMESTAMP_EVENT:
        entry.eventAt = payload;
        break;
    }
    here += (size + 3) & ~3;
  }
  return tcp;
}

const tuple = { source: 0, destination: 0, sourcePort: 0, destinationPort: 0 };

function parseTuple(view: DataView, at: number, end: number): boolean {
  const ip = findAttribute(view, at, end, CTA_TUPLE_IP);
  const protocol = findAttribute(view, at, end, CTA_TUPLE_PROTO);
  if (ip < 0 || protocol < 0) return false;
  const protocolEnd = attributeEnd(view, protocol);
  const number = findAttribute(view, protocol, protocolEnd, CTA_PROTO_NUM);
  if (number < 0 || view.getUint8(number) !== C.IPPROTO_TCP) return false;
  // Source and destination address are attributes 1 and 2, always in this order (ipv4_tuple_to_nlattr).
  tuple.source = view.getUint32(ip + 4);
  tuple.destination = view.getUint32(ip + 12);
  tuple.sourcePort = view.getUint16(findAttribute(view, protocol, protocolEnd, CTA_PROTO_SRC_PORT));
  tuple.destinationPort = view.getUint16(findAttribute(view, protocol, protocolEnd, CTA_PROTO_DST_PORT));
  return true;
}
