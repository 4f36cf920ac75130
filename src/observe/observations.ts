/** What the kernel and the daemons saw during one trial, as plain values: the ledger's other half, beside the outcomes. */
import type { Cause } from '../ledger/causes.js';
import type { Incident, Sighting } from '../nodes/kind.js';
import type { EventAction } from '../scenario/scenario.js';
import type { NarrowTimes, Places } from './narrow.js';
import type { SynTable } from './syn-table.js';

/** TCP flag bits (RFC 9293 §3.1). */
export const TcpFlag = { fin: 1, syn: 2, rst: 4, ack: 16 } as const;

/** Set in a tap's column `flags` where the segment left the host; the flag CWR, which has this bit in TCP, is not kept. */
export const OUTGOING = 0x80;

/** The segments with SYN or RST that one host's tap saw, as columns in the order of their time (`tap-table.ts`). */
export interface TapTable {
  host: string;
  length: number;
  /** ns since the run's start, whole. */
  times: NarrowTimes;
  /** Raw IPv4 addresses, host byte order, that `source` and `destination` point into. */
  addresses: Uint32Array;
  source: Places;
  destination: Places;
  sourcePort: Uint16Array;
  destinationPort: Uint16Array;
  /** The initial sequence number of whoever opened the connection: a SYN's own, of an answer what it acknowledges less one; 0 of a RST without ACK. */
  isn: Uint32Array;
  /** TCP flags, and `OUTGOING`. */
  flags: Uint8Array;
  /** Packets that the kernel could not hand over (PACKET_STATISTICS); above 0 the evidence has holes. */
  kernelDrops: number;
}

/** A change of a gateway's connection table in words: a row of `ConntrackLog`. */
export interface ConntrackEvent {
  /** ns since the run's start. */
  timeNs: number;
  type: 'new' | 'destroy';
  /** Before translation, `address:port`. */
  source: string;
  destination: string;
  /** After translation: the source as the destination sees it. */
  translated: string;
  /** TCP state of the entry at that moment, e.g. `ESTABLISHED`; undefined where the kernel does not say. */
  state: string | undefined;
}

/** The changes of one gateway's connection table, as columns in the order of their time (`conntrack-table.ts`). */
export interface ConntrackLog {
  host: string;
  length: number;
  /** ns since the run's start, whole. */
  times: NarrowTimes;
  /** 0 a new entry, 1 one that has ended. */
  type: Uint8Array;
  /** Raw IPv4 addresses, host byte order, that the following point into. */
  addresses: Uint32Array;
  /** Before translation. */
  source: Places;
  sourcePort: Uint16Array;
  destination: Places;
  destinationPort: Uint16Array;
  /** After translation: the source as the destination sees it. */
  translated: Places;
  translatedPort: Uint16Array;
  /** Number of the entry's TCP state at that moment; 255 where the kernel does not say. */
  state: Uint8Array;
  /** Times that the kernel dropped events (ENOBUFS). */
  overruns: number;
}

/** Kernel counters of one host: after minus before, by name (`TcpExt.ListenOverflows`, `conntrack.insert_failed`). */
export type CounterDeltas = Record<string, number>;

/** Ports in use at one moment. */
export interface PortSample {
  /** ns since the run's start. */
  timeNs: number;
  /** By node: ports in use towards its busiest destination on its busiest host. */
  inUse: Record<string, number>;
  /**
   * By node: how many of them are in TIME_WAIT. Of a gateway, its entries in TIME_WAIT or CLOSE: they are none of the ports
   * in use where the kernel lets a new connection take them over.
   */
  timeWait: Record<string, number>;
  /** By node: sockets per TCP state over all its hosts. */
  states: Record<string, Record<string, number>>;
  /** Requests that came due, completed, dropped so far. */
  due: number;
  completed: number;
  dropped: number;
  /** CPU seconds used so far by each host's daemons, by node, and by the generator. */
  cpu: Record<string, number>;
}

/** How busy one host's daemons were for about a second: its busiest thread, or the process that used most of the cores it may use. */
export interface BusySpell {
  host: string;
  /** ns since the run's start. */
  fromNs: number;
  toNs: number;
  /** The program's name as the kernel has it, `nginx`. */
  program: string;
  /** Whose shares these are: of the time of one thread, or of all cores that the process may use. */
  of: 'thread' | 'process';
  /** On a core, 0 to 1. */
  ran: number;
  /** Of a thread: with work to do and no core to do it on, 0 to 1. */
  waited: number;
}

/** Peak use of one node's pool. */
export interface PoolPeak {
  capacity: number;
  peak: number;
  peakShare: number;
}

/** The SYNs that one rule or limit of a firewall refused. */
export interface RefusedSyns {
  cause: Cause;
  /** The rule in words. */
  rule: string;
  /** `address:sequence`. */
  syns: Set<string>;
}

/** Something that was done to the chain while traffic ran. */
export interface ChainEvent {
  /** ns since the run's start. */
  plannedNs: number;
  /** When it really began; undefined when it never did. */
  startedNs: number | undefined;
  tookMs: number;
  /** In words: `kill shop[1]`. */
  text: string;
  /** What was done, one for each of its actions. */
  kinds: EventAction['do'][];
  /** Names of the hosts that it was done to. */
  hosts: string[];
  /** `never`: the traffic had ended before. */
  outcome: 'done' | 'failed' | 'never';
  /** Why it failed. */
  failure?: string;
}

/** Everything observed in one trial. */
export interface Observations {
  taps: Record<string, TapTable>;
  conntrack: Record<string, ConntrackLog>;
  /** Per gateway host: the SYNs that reached its forward chain (all, unless `full`); null where it was not asked. */
  forwarded: Record<string, SynTable | null>;
  /** Per firewall host: what its rules and limits refused, in the order in which they are asked. */
  refusedSyns: Record<string, RefusedSyns[]>;
  counters: Record<string, CounterDeltas>;
  /** By request id with try; of requests that were simply answered, only those that may be asked for (`ledger/line-filter.ts`). */
  sightings: Map<string, Sighting[]>;
  incidents: Incident[];
  pools: Record<string, PoolPeak>;
  samples: PortSample[];
  /** How busy each host's daemons were, second by second; absent where nobody looked. */
  busy?: BusySpell[];
  /** In the order of their planned time. */
  events: ChainEvent[];
  /** Unix time in ms of the run's start: `timeNs / 1e6 + startedAtMs` is a log's time. */
  startedAtMs: number;
}
