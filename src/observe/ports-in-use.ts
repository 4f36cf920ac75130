/** How many translated ports a gateway holds, by destination: exact at every event, because a pool is one per destination. */
import type { Entry } from './conntrack-entry.js';

/** The bindings of a gateway. Addresses and ports are those after translation. */
export interface PortsInUse {
  /** Notes a binding with a number of the caller's own. False for an entry that is not translated: it holds no port of the pool. */
  add(entry: Entry, row: number): boolean;
  /** Ends a binding; the number that it was noted with, undefined for one that was never noted. */
  remove(entry: Entry): number | undefined;
  /** Forgets all bindings, not the peak. */
  clear(): void;
  /** Bindings towards the busiest destination, over all of the gateway's addresses. */
  inUseNow(): number;
  /** The most that there ever were towards one destination. */
  peak(): number;
}

/** address and port in one exact number: 32 + 16 bits of the 53 that a double has. */
const pair = (address: number, port: number) => address * 65_536 + port;

/** A gateway without bindings. */
export function portsInUse(): PortsInUse {
  const byDestination = new Map<number, Map<number, number>>();
  let peak = 0;
  return {
    add(entry, row) {
      if (entry.translated === entry.source) return false;
      const destination = pair(entry.peer, entry.peerPort);
      let bindings = byDestination.get(destination);
      if (bindings === undefined) {
        bindings = new Map();
        byDestination.set(destination, bindings);
      }
      bindings.set(pair(entry.translated, entry.translatedPort), row);
      if (bindings.size > peak) peak = bindings.size;
      return true;
    },
    remove(entry) {
      const bindings = byDestination.get(pair(entry.peer, entry.peerPort));
      const key = pair(entry.translated, entry.translatedPort);
      const row = bindings?.get(key);
      bindings?.delete(key);
      return row;
    },
    clear: () => byDestination.clear(),
    inUseNow() {
      let most = 0;
      for (const bindings of byDestination.values()) most = Math.max(most, bindings.size);
      return most;
    },
    peak: () => peak,
  };
}
