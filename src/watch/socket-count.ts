/** All ports of the range that are in use, by pool, in one go through the kernel's tables (sock_diag(7)); works for every user. */
import { BOUND_ONLY, CONNECTED, DIAG, LISTENING, socketsRequest, TCP_STATES, TIME_WAIT } from '../observe/inet-diag.js';
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
  /** Inodes of the live sockets in `table`, where they were asked for. */
  inodes: Set<number>;
}

/** A netlink socket that counts again and again. */
export interface SocketCounting {
  /** Counts the sockets whose source port is in `range`. Throws a PortPartyError (exit 3) where the kernel refuses. */
  count(range: PortRange, withInodes: boolean): SocketCount;
  /** Closes the netlink socket. */
  close(): void;
}

const WHAT = 'the sockets';
const AF_INET6 = 10;
const LISTEN = TCP_STATES.indexOf('LISTEN');

/** Opens it in the network namespace of this process. */
export function openSocketCounting(): SocketCounting {
  const netlink = openNetlink(null, C.NETLINK_SOCK_DIAG, WHAT, 1 << 16);
  const { view } = netlink;
  const table = poolTable();
  const bound = new Uint8Array(65_536);
  const owners = [C.AF_INET, AF_INET6].map((family) => socketsRequest(family, LISTENING | BOUND_ONLY));

  /** Listening sockets and bound ones: their ports belong to them alone, and what they accepted are not ports taken. */
  function countOwners(): ListenerSample | null {
    bound.fill(0);
    let queued = 0;
    let backlog = 1;
    let fullest: ListenerSample | null = null;
    for (const request of owners)
      dump(netlink, request, WHAT, (_type, at) => {
        const port = view.getUint16(at + DIAG.sourcePort);
        bound[port] = 1;
        if (view.getUint8(at + DIAG.state) !== LISTEN) return;
        const waiting = view.getUint32(at + DIAG.receiveQueue, true);
        const most = view.getUint32(at + DIAG.sendQueue, true);
        if (waiting * backlog <= queued * most) return;
        queued = waiting;
        backlog = Math.max(1, most);
        fullest = { address: listenerAddress(view, at, port), queued, backlog: most };
      });
    return fullest;
  }

  return {
    count(range, withInodes) {
      const fullest = countOwners();
      table.clear();
      const inodes = new Set<number>();
      let sockets = 0;
      let timeWait = 0;
      for (const family of [C.AF_INET, AF_INET6])
        dump(netlink, socketsRequest(family, CONNECTED, range), WHAT, (_type, at) => {
          if (bound[view.getUint16(at + DIAG.sourcePort)] === 1) return;
          sockets++;
          const row = table.rowOf(
            view,
            at + DIAG.source,
            at + DIAG.destination,
            view.getUint16(at + DIAG.destinationPort),
            family === AF_INET6,
          );
          if (view.getUint8(at + DIAG.state) === TIME_WAIT) {
            timeWait++;
            table.addTimeWait(row, TIME_WAIT_SECONDS - view.getUint32(at + DIAG.expires, true) / 1000);
          } else {
            table.addLive(row);
            if (withInodes) inodes.add(view.getUint32(at + DIAG.inode, true));
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
