/**
 * The watch on one host, in plain values: the same where this process enters the host's namespace and where an agent watches
 * from inside and the values travel.
 */
import type { RunClock } from './clock.js';
import type { BusySpell, ConntrackLog, CounterDeltas, TapTable } from './observations.js';
import type { WatchedPorts } from './sock-diag.js';
import type { SynTable } from './syn-table.js';

/** What is to be watched on a host. */
export interface WatchOrder {
  host: string;
  clock: RunClock;
  /** It forwards packets: what its forward chain lets pass is noted. Else its sockets are counted. */
  forwards: boolean;
  /** It keeps a connection table, which is logged. */
  tracksConnections: boolean;
  /** Its own rules already include `forwardSetRules()`. */
  forwardRulesInstalled: boolean;
  /** Source ports whose use is counted by sockets. */
  watchedPorts: WatchedPorts | undefined;
  /** Size of the tap's ring, frames. */
  frames: number;
  /** Its daemons, for their CPU time; their children are counted with them. `others`: all processes but this one. */
  processes: number[] | 'others';
}

/** A host at one moment. */
export interface HostSample {
  /** ns since the run's start. */
  timeNs: number;
  /** Ports in use towards the busiest destination, and how many of them are in TIME_WAIT; undefined for a host without a pool. */
  inUse?: number;
  timeWait?: number;
  /** The highest that `inUse` ever was, where that is known. */
  peak?: number;
  /** Sockets, or entries of the connection table, by TCP state. */
  states?: Record<string, number>;
  /** How long taking it kept the watching process busy, ms. */
  tookMs: number;
  /** CPU seconds that the daemons have used since the watch began. */
  cpuSeconds: number;
  /** How busy the daemons were since the last time that this was told, about once a second; else absent. */
  busy?: Omit<BusySpell, 'host'>;
  /** CPU seconds that the agent has used since the watch began: 0 where this process watches itself. */
  agentCpuSeconds: number;
}

/** What a watch has gathered from its begin to its end. */
export interface HostSeen {
  tap: TapTable;
  conntrack: ConntrackLog | undefined;
  counters: CounterDeltas;
  /** Of a host that forwards: every SYN that reached its forward chain. */
  forwarded: SynTable | undefined;
}

/** An open watch. */
export interface HostWatch {
  /** The host at this moment; a promise where an agent takes it, which fails with a PortPartyError (exit 3) once that has ended. */
  sample(): HostSample | Promise<HostSample>;
  /** Ends it, and gives everything up to now. Idempotent. */
  stop(): Promise<HostSeen>;
}
