/** Sockets of a host by TCP state, and the source ports they hold, through sock_diag(7): no text, no walk through /proc. */

import type { PortRange } from '../scenario/units.js';
import { C, close, ipToNumber } from '../sys/libc.js';
import { CONNECTED, DIAG, socketsRequest, TCP_STATES, TIME_WAIT } from './inet-diag.js';
import { dump, openNetlink } from './netlink.js';
import { openSocketTotals } from './socket-totals.js';

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
  /**
   * Counts anew and blocks until the kernel has answered; where nothing has moved since the last time, that count still holds.
   * Throws a PortPartyError (exit 3) when the kernel refuses.
   */
  count(): PortCount;
  /** Closes what it has open. */
  close(): void;
}

const WHAT = 'the sockets';

/** Opens a counter inside a host's namespace; `watched` is undefined for a host that opens no connections. */
export function openSocketCounter(netns: string | null, watched: WatchedPorts | undefined): SocketCounter {
  const netlink = openNetlink(netns, C.NETLINK_SOCK_DIAG, WHAT, 1 << 18);
  const { view } = netlink;
  const message = socketsRequest(C.AF_INET, CONNECTED);

  const { lo, hi } = watched?.range ?? { lo: 1, hi: 0 };
  const slots = new Map<number, number>();
  for (const target of watched?.targets ?? [])
    if (!slots.has(targetKey(target))) slots.set(targetKey(target), slots.size);
  const inUse = new Uint32Array(slots.size);
  const timeWait = new Uint32Array(slots.size);
  const byState = new Uint32Array(16);
  const totals = openSocketTotals(netns);
  let last: PortCount | undefined;

  return {
    count() {
      // Asked before the walk: what moves meanwhile is a change the next time.
      if (totals.unchanged() && last !== undefined) return last;
      inUse.fill(0);
      timeWait.fill(0);
      byState.fill(0);
      dump(netlink, message, WHAT, (_type, at) => {
        const state = view.getUint8(at + DIAG.state);
        byState[state]++;
        const port = view.getUint16(at + DIAG.sourcePort);
        if (port < lo || port > hi) return;
        const slot = slots.get(
          view.getUint32(at + DIAG.destination) * 65_536 + view.getUint16(at + DIAG.destinationPort),
        );
        if (slot === undefined) return;
        inUse[slot]++;
        if (state === TIME_WAIT) timeWait[slot]++;
      });
      const busiest = inUse.length === 0 ? -1 : inUse.indexOf(Math.max(...inUse));
      const states: Record<string, number> = {};
      TCP_STATES.forEach((name, state) => {
        if (byState[state] > 0) states[name] = byState[state];
      });
      last = { inUse: inUse[busiest] ?? 0, timeWait: timeWait[busiest] ?? 0, states };
      return last;
    },
    close() {
      totals.close();
      close(netlink.fd);
    },
  };
}

function targetKey(target: { address: string; port: number }): number {
  return ipToNumber(target.address) * 65_536 + target.port;
}
