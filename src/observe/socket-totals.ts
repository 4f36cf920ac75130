/**
 * The kernel's totals of a host's TCP sockets: too coarse to count ports by, but cheap, and equal only as long as nothing has moved. Walking through
 * 50,000 sockets takes the kernel some 50 ms, reading these some 50 us.
 */
import { inNamespace } from '../sys/namespace.js';
import { type NumberPicker, pickNumbers, procFile } from '../sys/proc-file.js';

/** The totals of one host, kept open. */
export interface SocketTotals {
  /**
   * True when no segment has come or gone and no socket has been made or ended since the last time that this was asked. The kernel then has
   * the same sockets in the same states, but for half-open ones (SYN_RECV) that it gave up in silence. False where it does not tell.
   */
  unchanged(): boolean;
  /** Closes the files. */
  close(): void;
}

/** Segments in both directions, and connections begun by either side (RFC 4022; /proc/net/snmp). */
const MOVEMENTS = ['InSegs', 'OutSegs', 'ActiveOpens', 'PassiveOpens', 'AttemptFails', 'EstabResets', 'CurrEstab'];
/** Of /proc/net/sockstat: sockets with a connection or listening, and those in TIME_WAIT. */
const SOCKETS = /^TCP: inuse (\d+) orphan \d+ tw (\d+)/m;

/** Opens the totals of the host whose network namespace is at `netns` (null: this process's own). */
export function openSocketTotals(netns: string | null): SocketTotals {
  const [snmp, sockstat] = inNamespace(netns, () => [
    procFile('/proc/thread-self/net/snmp'),
    procFile('/proc/thread-self/net/sockstat'),
  ]);
  const pick: NumberPicker = pickNumbers('Tcp', MOVEMENTS);
  let before = '';
  return {
    unchanged() {
      const sockets = SOCKETS.exec(sockstat.read());
      const now = sockets === null ? '' : `${pick(snmp.read())} ${sockets[1]} ${sockets[2]}`;
      const same = now === before && now !== '';
      before = now;
      return same;
    },
    close() {
      snmp.close();
      sockstat.close();
    },
  };
}
