/** What sock_diag(7) is asked about TCP sockets, and where its answers have what: the layout of <linux/inet_diag.h>. */
import type { PortRange } from '../scenario/units.js';
import { C } from '../sys/libc.js';
import { dumpRequest } from './netlink.js';

/** The kernel's names of TCP states by their number (<net/tcp_states.h>). */
export const TCP_STATES = [
  '',
  'ESTABLISHED',
  'SYN_SENT',
  'SYN_RECV',
  'FIN_WAIT1',
  'FIN_WAIT2',
  'TIME_WAIT',
  'CLOSE',
  'CLOSE_WAIT',
  'LAST_ACK',
  'LISTEN',
  'CLOSING',
];
/** Number of TIME_WAIT among `TCP_STATES`. */
export const TIME_WAIT = TCP_STATES.indexOf('TIME_WAIT');
/** Bit of the listening sockets in a request's `states`. */
export const LISTENING = 1 << TCP_STATES.indexOf('LISTEN');
/** Bit of sockets that are bound and neither listen nor are connected (TCP_BOUND_INACTIVE, kernel 6.7; older ones pass over it). */
export const BOUND_ONLY = 1 << 13;
/** Bits of a connection's states: without LISTEN and CLOSE, which belong to no connection and cost the kernel a second walk. */
export const CONNECTED = TCP_STATES.reduce(
  (mask, name, state) => (name === '' || name === 'LISTEN' || name === 'CLOSE' ? mask : mask | (1 << state)),
  0,
);

/** Offsets in struct inet_diag_msg; ports and addresses are in network byte order, everything else in the machine's. */
export const DIAG = {
  family: 0,
  state: 1,
  sourcePort: 4,
  destinationPort: 6,
  source: 8,
  destination: 24,
  /** What is left of the timer, ms; of a socket in TIME_WAIT the time until it is gone. */
  expires: 52,
  /** Bytes to read; of a listening socket the connections that wait to be accepted. */
  receiveQueue: 56,
  /** Bytes to send; of a listening socket its backlog. */
  sendQueue: 60,
  inode: 68,
} as const;

const SOCK_DIAG_BY_FAMILY = 20;
/** The request before families came: it answers for IPv4 and IPv6 in one walk. */
const TCPDIAG_GETSOCK = 18;
const INET_DIAG_REQ_BYTECODE = 1;
// Instructions of the kernel's own filter; `yes` and `no` are distances, bytes.
const SOURCE_PORT_AT_LEAST = 2;
const SOURCE_PORT_AT_MOST = 3;

/** A request for the TCP sockets of a family (AF_INET, AF_INET6) whose states' bits are set. */
export function socketsRequest(family: number, states: number): Uint8Array {
  // struct inet_diag_req_v2: family, protocol, extensions, padding, states, then an empty socket identity.
  const request = new Uint8Array(56);
  request[0] = family;
  request[1] = C.IPPROTO_TCP;
  new DataView(request.buffer).setUint32(4, states, true);
  return dumpRequest(SOCK_DIAG_BY_FAMILY, request);
}

/**
 * The same for IPv4 and IPv6 together: one walk through the kernel's table instead of two, and a walk past 50,000 sockets costs
 * 20 ms even if it tells about none (bench/watch.mjs). With `ports` the kernel leaves out those whose source port is outside.
 */
export function allSocketsRequest(states: number, ports?: PortRange): Uint8Array {
  // struct inet_diag_req: family, lengths of prefixes, extensions, an empty socket identity of 48 bytes, states, a field for the kernel.
  const filter = ports === undefined ? new Uint8Array(0) : portFilter(ports);
  const request = new Uint8Array(60 + filter.length);
  new DataView(request.buffer).setUint32(52, states, true);
  request.set(filter, 60);
  return dumpRequest(TCPDIAG_GETSOCK, request);
}

/** An attribute with the program "source port >= lo and <= hi"; a socket is told about when the program runs to its end exactly. */
function portFilter({ lo, hi }: PortRange): Uint8Array {
  const COMPARISON = 8;
  const attribute = new Uint8Array(4 + 2 * COMPARISON);
  const view = new DataView(attribute.buffer);
  view.setUint16(0, attribute.length, true);
  view.setUint16(2, INET_DIAG_REQ_BYTECODE, true);
  [
    { code: SOURCE_PORT_AT_LEAST, port: lo },
    { code: SOURCE_PORT_AT_MOST, port: hi },
  ].forEach(({ code, port }, index, all) => {
    const at = 4 + index * COMPARISON;
    view.setUint8(at, code);
    view.setUint8(at + 1, COMPARISON);
    // Past the end: the socket is left out.
    view.setUint16(at + 2, (all.length - index) * COMPARISON + 4, true);
    // The port stands in the `no` of a second instruction.
    view.setUint16(at + 6, port, true);
  });
  return attribute;
}
