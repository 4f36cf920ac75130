/** What `portparty watch` saw at one moment: the value behind the table, the lines of `--json`, the log, and the metrics. */
import type { PortPool } from './port-pool.js';

/** One pool: the connections from one address of this machine to one destination. */
export interface PoolSample {
  /** Address of this machine. */
  source: string;
  /** Address and port of the other side. */
  destination: string;
  /** Ports of the range that sockets hold, TIME_WAIT included: what `ss` counts. */
  inUse: number;
  /** How many of them are in TIME_WAIT. */
  timeWait: number;
  /** How many of those in TIME_WAIT the kernel gives to a new connection anyway (`tcp_tw_reuse`). */
  reusable: number;
  /** `inUse - reusable`: ports that a new connection cannot have. */
  taken: number;
  /** `taken` of the capacity, 0 to 1. */
  share: number;
  /** How `taken` changes, per second; null before there are two counts. */
  growthPerSecond: number | null;
  /** Sockets that enter TIME_WAIT, per second, by the ages of those that are in it. */
  closingPerSecond: number;
  /** Until the pool is full at this rate, s; null where it will not be. docs/watch.md has the arithmetic. */
  secondsUntilFull: number | null;
}

/** The connection table of this network namespace. */
export interface ConntrackSample {
  entries: number;
  limit: number;
  /** `entries` of `limit`, 0 to 1. */
  share: number;
  /** Change of `entries`, per second; null before there are two. */
  growthPerSecond: number | null;
  /** Until the table is full at this rate, s; null where it will not be. */
  secondsUntilFull: number | null;
  /** Packets dropped since boot; null where the counters cannot be read. */
  drops: ConntrackDrops | null;
}

/** Counters of the connection table, packets or entries since the namespace began. */
export interface ConntrackDrops {
  /** No entry could be made. */
  drop: number;
  /** Entries thrown out to make room for another. */
  earlyDrop: number;
  /** Entries that could not be inserted, such as for want of a port to translate to. */
  insertFailed: number;
}

/** A listening socket and the connections that wait in its queue. */
export interface ListenerSample {
  /** Address and port. */
  address: string;
  /** Connections that wait to be accepted. */
  queued: number;
  /** As many may wait. */
  backlog: number;
}

/** A process and the ports of the range that it holds; those in TIME_WAIT belong to no process any more. */
export interface ProcessSample {
  pid: number;
  command: string;
  ports: number;
  /** True where the process has thousands of descriptors, and `ports` is an estimate, good to a few percent. */
  estimated: boolean;
}

/** One sample. Its JSON is a contract: fields are only added. */
export interface WatchSample {
  schema: 'portparty/watch@1';
  /** UTC. */
  at: string;
  host: string;
  /** The size of every pool, and why. */
  ports: PortPool;
  /** The count that `pools` comes from: the sockets are not counted in every sample where there are very many of them. */
  counted: {
    /** When it began, UTC. */
    at: string;
    /** CPU that it took, ms. */
    cpuMs: number;
    /** Sockets in the range that were counted. */
    sockets: number;
    /** How many of them are in TIME_WAIT. */
    timeWait: number;
    /** How many pools there are. */
    pools: number;
  };
  /** The fullest ones, the fullest first. */
  pools: PoolSample[];
  /** Sockets of the whole namespace (/proc/net/sockstat), whatever their port. */
  sockets: { inUse: number; timeWait: number; orphans: number };
  /** Connections that programs of this machine have opened; per second null in the first sample. */
  opened: { total: number; perSecond: number | null };
  /** Connections that came to a listening socket and were turned away; per second null in the first sample. */
  listening: {
    /** The accept queue was full (ListenOverflows). */
    overflows: number;
    /** Any reason, a full queue included (ListenDrops). */
    drops: number;
    dropsPerSecond: number | null;
    /** The queue with the most of its backlog taken; null where nobody waits. */
    fullest: ListenerSample | null;
  };
  /** null where this kernel tracks no connections here. */
  conntrack: ConntrackSample | null;
  /** null until they have been looked through. */
  processes: {
    /** UTC. */
    at: string;
    /** Those that hold the most ports, the most first. */
    top: ProcessSample[];
    /** Ports that live sockets hold and whose process could not be seen. */
    unseen: number;
  } | null;
  /** Warnings that stand. */
  warnings: string[];
  /** What could not be read, why, and what would help. */
  unreadable: string[];
  /** CPU that the watch itself took since it began, as a share of one core; null in the first sample. */
  cpuShare: number | null;
}
