/** What an engine is: it takes a traffic plan, sends it, and fills in one outcome per request. */
import type { Outcomes } from './outcomes.js';

/** One request of a journey. */
export interface JourneyStep {
  name: string;
  method: 'GET' | 'POST';
  path: string;
  /** Body of a POST, '' otherwise. */
  body: string;
}

/** Where a connection goes. */
export interface TrafficTarget {
  host: string;
  address: string;
  port: number;
  /** Behind a forward proxy: `address:port` of the server that it is asked for. Undefined: the target itself is asked. */
  origin?: string;
}

/** A client host as an engine sees it. */
export interface TrafficClient {
  host: string;
  /** Path of its network namespace for setns(2); null: send from the current one. */
  netns: string | null;
  /** Where its connections go, in turn. */
  targets: TrafficTarget[];
}

/** How connections are used. */
export type ConnectionMode = { mode: 'per-request' } | { mode: 'per-visitor' } | { mode: 'pooled'; size: number };

/** All that an engine needs, as a plain value that can be sent to another thread or host. */
export interface TrafficPlan {
  /** Planned arrival of each visitor, ns since start, sorted. Empty in closed loop. */
  arrivalsNs: Float64Array;
  /** Closed-loop phases, when the scenario asks for them instead of rates. */
  closedLoop: { forMs: number; connections: number }[] | undefined;
  steps: JourneyStep[];
  /** For the `hold` journey: how long a connection is kept after its request was sent, ms. */
  holdForMs: number | undefined;
  thinkTimeMs: number;
  connections: ConnectionMode;
  /** Who closes first: the client by FIN, the server (`Connection: close`), or the client by RST. */
  close: 'client' | 'server' | 'reset';
  connectTimeoutMs: number;
  responseTimeoutMs: number;
  retry: { attempts: number; backoffMs: number };
  clients: TrafficClient[];
  /** Request ids are `<prefix>.<visitor>.<step>`, and `.<try>` behind it from the second try on. */
  idPrefix: string;
  /** Core that the sending thread keeps to, and nothing else of its process (`--pin`); absent: the kernel chooses. */
  sendOn?: number;
  /** Which part of a whole plan this is (`split.ts`); undefined: the whole. */
  part?: PlanPart;
}

/**
 * A part of a plan, sent by a sender of its own: another host's agent, another thread. Its visitors, connections and clients
 * are counted from 0 as in any plan; here is what they are called in the whole.
 */
export interface PlanPart {
  /** Visitor `i` is number `floor(i / offsets.length) * period + offsets[i % offsets.length]` of the whole. */
  period: number;
  offsets: number[];
  /** Index in the whole of each of its clients. */
  clients: number[];
  /** How many clients the whole has. */
  clientsInAll: number;
  /** Number of this part and of all: its connection `k` is number `k * of + index` of the whole. */
  index: number;
  of: number;
}

/** The visitor `v` comes from client `v % clients`, and its connections go to that client's targets in turn. */
export function clientOf(visitor: number, clients: number): number {
  return visitor % clients;
}

/** Number in the whole plan of visitor `visitor` of a part: what its request ids carry. */
export function visitorNumber(part: PlanPart | undefined, visitor: number): number {
  if (part === undefined) return visitor;
  const { period, offsets } = part;
  return Math.floor(visitor / offsets.length) * period + offsets[visitor % offsets.length];
}

/** What stands in the request line: the path, or to a forward proxy the whole URI (absolute-form, RFC 9112 §3.2.2). */
export function requestTarget({ origin }: Pick<TrafficTarget, 'origin'>, path: string): string {
  return origin === undefined ? path : `http://${origin}${path}`;
}

/** Id of a request's try (0 = the first), as sent in `X-Request-Id`. */
export function requestId(prefix: string, visitor: number, step: number, tryIndex: number): string {
  return tryIndex === 0 ? `${prefix}.${visitor}.${step}` : `${prefix}.${visitor}.${step}.${tryIndex}`;
}

/** What the generator says of itself. Milliseconds and seconds; null where the engine cannot know. */
export interface GeneratorReport {
  engine: string;
  lateP50Ms: number;
  lateP99Ms: number;
  lateMaxMs: number;
  /** CPU of the sending thread, user and system. */
  cpuSeconds: number;
  userSeconds: number;
  systemSeconds: number;
  /** Times that the generator itself was out of descriptors or memory (EMFILE, ENFILE, ENOBUFS). */
  ownFailures: number;
  /** How it waits, e.g. `epoll_pwait2`. */
  timer: string;
  /** Remarks for the record, such as a fall-back that was taken. */
  notes: string[];
}

/** An engine that is ready to start. */
export interface PreparedTraffic {
  outcomes: Outcomes;
  /** Process ids of this machine that send beside this process; absent where it sends alone, or others send on their own hosts. */
  senders?: readonly number[];
  /** Starts sending at CLOCK_MONOTONIC `startNs` (`process.hrtime.bigint()`); resolves when the last request has ended. */
  run(startNs: bigint): Promise<GeneratorReport>;
  /** Ends it early: nothing new is sent, open requests are left `underWay`. */
  stop(): void;
  /** Frees threads and descriptors. */
  close(): Promise<void>;
}

/** A traffic engine. */
export interface Engine {
  name: 'socket' | 'undici' | 'autocannon';
  /** Undefined when it can send this plan, else why not and what to use instead. */
  refuses(plan: TrafficPlan): string | undefined;
  /** Starts its threads; nothing goes into the testbed before `run`. */
  prepare(plan: TrafficPlan): Promise<PreparedTraffic>;
}
