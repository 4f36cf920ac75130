/** How many translated ports a gateway holds, by destination: exact at every event, because a pool is one per destination. */
import { type Entry, STATE_CLOSE, STATE_TIME_WAIT } from './conntrack-entry.js';

/** The bindings of a gateway. Addresses and ports are those after translation. */
export interface PortsInUse {
  /** Notes a binding with a number of the caller's own. False for an entry that is not translated: it holds no port of the pool. */
  add(entry: Entry, row: number): boolean;
  /** Notes that a binding's connection is over; the entry stays until it is removed, or its port is taken over. */
  finish(entry: Entry): void;
  /** Ends a binding; the number that it was noted with, undefined for one that was never noted. */
  remove(entry: Entry): number | undefined;
  /** Forgets all bindings, not the peak. */
  clear(): void;
  /** The ports in use towards the busiest destination, over all of the gateway's addresses, and the finished entries there. */
  now(): { inUse: number; timeWait: number };
  /** The most ports that there ever were in use towards one destination. */
  peak(): number;
}

/** Rows of bindings by address and port, towards one destination. */
interface Bindings {
  live: Map<number, number>;
  finished: Map<number, number>;
}

/** address and port in one exact number: 32 + 16 bits of the 53 that a double has. */
const pair = (address: number, port: number) => address * 65_536 + port;

/** True for an entry whose connection is over: reset, or closed from both sides. */
export const isFinished = (entry: Entry): boolean => entry.state === STATE_TIME_WAIT || entry.state === STATE_CLOSE;

/**
 * Whether the kernel of that release (`uname -r`) gives the port of a finished entry to a new connection: since 6.5
 * ("netfilter: snat: evict closing tcp entries on reply tuple collision"). Before, the entry holds it until it times out.
 */
export function reusesFinishedPorts(release: string): boolean {
  const [major, minor] = release.split('.', 2).map((part) => Number.parseInt(part, 10));
  return major > 6 || (major === 6 && minor >= 5);
}

/** A gateway without bindings. With `finishedAreFree`, a finished entry is no port in use. */
export function portsInUse(finishedAreFree: boolean): PortsInUse {
  const byDestination = new Map<number, Bindings>();
  let peak = 0;
  const held = ({ live, finished }: Bindings) => (finishedAreFree ? live.size : live.size + finished.size);
  const towards = (entry: Entry) => byDestination.get(pair(entry.peer, entry.peerPort));

  return {
    add(entry, row) {
      if (entry.translated === entry.source) return false;
      let bindings = towards(entry);
      if (bindings === undefined) {
        bindings = { live: new Map(), finished: new Map() };
        byDestination.set(pair(entry.peer, entry.peerPort), bindings);
      }
      const key = pair(entry.translated, entry.translatedPort);
      const over = isFinished(entry);
      bindings[over ? 'live' : 'finished'].delete(key);
      bindings[over ? 'finished' : 'live'].set(key, row);
      peak = Math.max(peak, held(bindings));
      return true;
    },
    finish(entry) {
      const bindings = towards(entry);
      const key = pair(entry.translated, entry.translatedPort);
      const row = bindings?.live.get(key);
      if (bindings === undefined || row === undefined) return;
      bindings.live.delete(key);
      bindings.finished.set(key, row);
    },
    remove(entry) {
      const bindings = towards(entry);
      if (bindings === undefined) return undefined;
      const key = pair(entry.translated, entry.translatedPort);
      const row = bindings.live.get(key) ?? bindings.finished.get(key);
      bindings.live.delete(key);
      bindings.finished.delete(key);
      return row;
    },
    clear: () => byDestination.clear(),
    now() {
      const most = { inUse: 0, timeWait: 0 };
      for (const bindings of byDestination.values()) {
        const inUse = held(bindings);
        const timeWait = bindings.finished.size;
        if (inUse > most.inUse || (inUse === most.inUse && timeWait > most.timeWait))
          Object.assign(most, { inUse, timeWait });
      }
      return most;
    },
    peak: () => peak,
  };
}
