/** All ports of the range that are in use, by pool, in one go through the kernel's tables (sock_diag(7)); works for every user. */
import { allSocketsRequest, BOUND_ONLY, CONNECTED, DIAG, LISTENING, TIME_WAIT } from '../observe/inet-diag.js';
import { dump, openNetlink } from '../observe/netlink.js';
import type { PortRange } from '../scenario/units.js';
import { C, close } from '../sys/libc.js';
import { addressText, type PoolTable, poolTable, TIME_WAIT_SECONDS } from './pool-table.js';
import type { BlockedPorts } from './port-pool.js';
import type { ListenerSample } from './sample.js';

/** What one count found. Valid until the next one. */
export interface SocketCount {
  table: PoolTable;
  /** Ports that sockets have bound by themselves, of the whole number space. */
  bound: BlockedPorts;
  /** Sockets in `table`. */
  sockets: number;
  /** How many of them are in TIME_WAIT. */
  timeWait: number;
  /** The listening socket with the most of its backlog taken; null where nobody waits. */
  fullest: ListenerSample | null;
  /** Inodes of the live sockets in `table`, of a thorough count. */
  inodes: Set<number>;
}

/** A netlink socket that counts again and again. */
export interface SocketCounting {
  /**
   * Counts the sockets whose source port is in `range`. A `thorough` count costs more: it also notes inodes, and looks for ports that
   * are bound without a connection, which the others remember from it. Throws a PortPartyError (exit 3) where the kernel refuses.
   */
  count(range: PortRange, thorough: boolean): SocketCount;
  /** Closes the netlink socket. */
  close(): void;
}

const WHAT = 'the sockets';
const AF_INET6 = 10;

/** Opens it in the network namespace of this process. */
export function openSocketCounting(): SocketCounting {
  const netlink = openNetlink(null, C.NETLINK_SOCK_DIAG, WHAT, 1 << 16);
  const { view } = netlink;
  const table = poolTable();
  const bound = new Uint8Array(65_536);
  const listening = new Uint8Array(65_536);
  const boundOnly = new Uint8Array(65_536);

  /** Listening sockets: their ports belong to them alone, and the connections that they accepted are not ports taken. */
  function countListening(): ListenerSample | null {
    listening.fill(0);
    let queued = 0;
    let backlog = 1;
    let fullest: ListenerSample | null = null;
    dump(netlink, allSocketsRequest(LISTENING), WHAT, (_type, at) => {
      const port = view.getUint16(at + DIAG.sourcePort);
      listening[port] = 1;
      const waiting = view.getUint32(at + DIAG.receiveQueue, true);
      const most = view.getUint32(at + DIAG.sendQueue, true);
      if (waiting * backlog <= queued * most) return;
      queued = waiting;
      backlog = Math.max(1, most);
      fullest = { address: listenerAddress(view, at, port), queued, backlog: most };
    });
    return fullest;
  }

  function countBoundOnly(): void {
    boundOnly.fill(0);
    dump(netlink, allSocketsRequest(BOUND_ONLY), WHAT, (_type, at) => {
      boundOnly[view.getUint16(at + DIAG.sourcePort)] = 1;
    });
  }

  return {
    count(range, thorough) {
      const fullest = countListening();
      // A walk of its own through all ports, for what hardly ever changes.
      if (thorough) countBoundOnly();
      for (let port = 0; port < bound.length; port++) bound[port] = listening[port] | boundOnly[port];
      table.clear();
      const inodes = new Set<number>();
      let sockets = 0;
      let timeWait = 0;
      dump(netlink, allSocketsRequest(CONNECTED, range), WHAT, (_type, at) => {
        if (listening[view.getUint16(at + DIAG.sourcePort)] === 1) return;
        sockets++;
        const row = table.rowOf(
          view,
          at + DIAG.source,
          at + DIAG.destination,
          view.getUint16(at + DIAG.destinationPort),
          view.getUint8(at + DIAG.family) === AF_INET6,
        );
        if (view.getUint8(at + DIAG.state) === TIME_WAIT) {
          timeWait++;
          table.addTimeWait(row, TIME_WAIT_SECONDS - view.getUint32(at + DIAG.expires, true) / 1000);
        } else {
          table.addLive(row);
          if (thorough) inodes.add(view.getUint32(at + DIAG.inode, true));
        }
      });
      return { table, bound, sockets, timeWait, fullest, inodes };
    },
    close: () => void close(netlink.fd),
  };
}

function listenerAddress(view: DataView, at: number, port: number): string {
  const words = [0, 4, 8, 12].map((offset) => view.getUint32(at + DIAG.source + offset));
  const wide = view.getUint8(at + DIAG.family) === AF_INET6;
  const text = addressText(wide ? words : [0, 0, 0xffff, words[0]]);
  return `${text.includes(':') ? `[${text}]` : text}:${port}`;
}
