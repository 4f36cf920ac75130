/** Sockets of a host by TCP state, and the source ports they hold, through sock_diag(7): no text, no walk through /proc. */

import type { PortRange } from '../scenario/units.js';
import { C, close, ipToNumber } from '../sys/libc.js';
import { dump, dumpRequest, openNetlink } from './netlink.js';

/** A host's sockets at one moment. */
export interface PortCount {
  /** Connections from a port of the range to the busiest target: that many ports are taken towards it. */
  inUse: number;
  /** How many of them are in TIME_WAIT. */
  timeWait: number;
  /** All TCP sockets over IPv4 by state, listening ones left out. */
  states: Record<string, number>;
}

/** The source ports to count: those of the range that lead to one of the targets. */
export interface WatchedPorts {
  range: PortRange;
  targets: { address: string; port: number }[];
}

/** A netlink socket in one host's namespace, with a request to ask it again and again. */
export interface SocketCounter {
  /** Asks the kernel anew and blocks until it has answered. Throws a PortPartyError (exit 3) when it refuses. */
  count(): PortCount;
  /** Closes the netlink socket. */
  close(): void;
}

const WHAT = 'the sockets';
const SOCK_DIAG_BY_FAMILY = 20;
/** By their number in the kernel (<net/tcp_states.h>). */
const STATES = [
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
const TIME_WAIT = STATES.indexOf('TIME_WAIT');
/** Without LISTEN and CLOSE, which belong to no connection and cost the kernel a second walk. */
const CONNECTION_STATES = STATES.reduce(
  (mask, name, state) => (name === '' || name === 'LISTEN' || name === 'CLOSE' ? mask : mask | (1 << state)),
  0,
);

// Offsets in struct inet_diag_msg (<linux/inet_diag.h>); ports and addresses are in network byte order.
const STATE = 1;
const SOURCE_PORT = 4;
const DESTINATION_PORT = 6;
const DESTINATION = 24;

/** Opens a counter inside a host's namespace; `watched` is undefined for a host that opens no connections. */
export function openSocketCounter(netns: string | null, watched: WatchedPorts | undefined): SocketCounter {
  const netlink = openNetlink(netns, C.NETLINK_SOCK_DIAG, WHAT, 1 << 18);
  const { view } = netlink;
  // struct inet_diag_req_v2: family, protocol, extensions, padding, states, then an empty socket identity.
  const request = new Uint8Array(56);
  request[0] = C.AF_INET;
  request[1] = C.IPPROTO_TCP;
  new DataView(request.buffer).setUint32(4, CONNECTION_STATES, true);
  const message = dumpRequest(SOCK_DIAG_BY_FAMILY, request);

  const { lo, hi } = watched?.range ?? { lo: 1, hi: 0 };
  const slots = new Map<number, number>();
  for (const target of watched?.targets ?? [])
    if (!slots.has(targetKey(target))) slots.set(targetKey(target), slots.size);
  const inUse = new Uint32Array(slots.size);
  const timeWait = new Uint32Array(slots.size);
  const byState = new Uint32Array(16);

  return {
    count() {
      inUse.fill(0);
      timeWait.fill(0);
      byState.fill(0);
      dump(netlink, message, WHAT, (_type, at) => {
        const state = view.getUint8(at + STATE);
        byState[state]++;
        const port = view.getUint16(at + SOURCE_PORT);
        if (port < lo || port > hi) return;
        const slot = slots.get(view.getUint32(at + DESTINATION) * 65_536 + view.getUint16(at + DESTINATION_PORT));
        if (slot === undefined) return;
        inUse[slot]++;
        if (state === TIME_WAIT) timeWait[slot]++;
      });
      const busiest = inUse.length === 0 ? -1 : inUse.indexOf(Math.max(...inUse));
      const states: Record<string, number> = {};
      STATES.forEach((name, state) => {
        if (byState[state] > 0) states[name] = byState[state];
      });
      return { inUse: inUse[busiest] ?? 0, timeWait: timeWait[busiest] ?? 0, states };
    },
    close: () => void close(netlink.fd),
  };
}

function targetKey(target: { address: string; port: number }): number {
  return ipToNumber(target.address) * 65_536 + target.port;
}
