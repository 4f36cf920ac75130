/**
 * What a kind of node is: its knobs, how it starts and is known ready, and how its log tells of a lost request.
 * One file per kind in this folder, one line per kind in `kinds.ts`.
 */
import type { z } from 'zod';
import type { Cause } from '../ledger/causes.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint, Layer, Plan, PlannedHost } from '../topology/plan.js';

/** What a node needs to start on one host. */
export interface NodeContext<Spec> {
  host: Host;
  planned: PlannedHost;
  spec: Spec;
  /** The whole testbed's plan, for kinds that must know others' addresses. */
  plan: Plan;
  /** Where this host listens; undefined for L3 nodes and clients. */
  listen: Endpoint | undefined;
  /** Its backends, in order. */
  backends: Endpoint[];
  /** The source addresses towards the backends (L7), or the SNAT addresses (nat). */
  sources: string[];
  /** Text of the user's own configuration file, when the scenario names one. */
  userConfig: string | undefined;
  /** A folder that all hosts of this node share, for sockets and state; as this host's processes see it. */
  sharedDir: string;
}

/** A node's daemons on one host, running and ready. */
export interface RunningNode {
  /** All of them, as they are now: a restart replaces them in place. */
  processes: HostProcess[];
  /** Those that an event ends, stops or restarts; absent: all. */
  exposed?: HostProcess[];
  /** True when the user's own configuration keeps attribution from seeing each request. */
  reducedAttribution?: string;
  /** Ends it so that every log line is written: by SIGTERM or the like. Idempotent. */
  stop?(): Promise<void>;
  /** Ends what still runs and starts it again; absent: it is stopped and started as at the beginning. */
  restart?(): Promise<void>;
  /** Loads its configuration again without ending; of kinds that say `reloads`. */
  reload?(): Promise<void>;
  /** Changes knobs while it runs; of kinds that name them in `live`. Values are as the schema yields them. */
  change?(knobs: Record<string, unknown>): Promise<void>;
  /** Begins its work; of nodes that act by themselves, `afterMs` after the traffic's start. */
  begin?: {
    afterMs: number;
    /** Called once, at that moment; rejects where it cannot begin. */
    now(): Promise<void>;
  };
}

/**
 * How one try of a proxy to reach a backend ended.
 * `no-live-backend` means that every backend was held down and none was tried; `connect-failed`, that the connection did not come
 * about and the log does not say why; `no-answer`, that there was none until the client left, and the log does not say whether the
 * connection stood; `connection-limit` is the proxy's own, `backend-limit` the backend's, in its own words.
 */
export type UpstreamResult =
  | 'answered'
  | 'no-local-port'
  | 'no-live-backend'
  | 'connect-timeout'
  | 'response-timeout'
  | 'no-answer'
  | 'refused'
  | 'connect-failed'
  | 'reset'
  | 'unreachable'
  | 'connection-limit'
  | 'backend-limit'
  | 'file-limit'
  | 'queue-timeout'
  | 'closed-early'
  | 'failed';

/** One try of a proxy to reach a backend, as its log tells. */
export interface UpstreamTry {
  /** `address:port` of the backend; undefined where none was chosen. */
  to: string | undefined;
  /** Local `address:port` of the try, where the daemon logs it. */
  from?: string;
  result: UpstreamResult;
  /** Unix time in ms at which the try began; absent: when the one before it ended. */
  startedAt?: number;
  /** Unix time in ms at which the try ended. */
  endedAt: number;
  /** How long the handshake took, ms; undefined where it did not finish or the daemon does not log it. */
  connectMs?: number;
  /** The daemon says that because of this one it holds the backend down. */
  markedDown?: boolean;
  /** The daemon's own words, kept as evidence. */
  evidence: string;
}

/** Status of a request whose client left before its answer, as nginx logs it; used for all that logs requests. */
export const CLIENT_LEFT = 499;

/** What one L7 node or server saw of one request, taken from its own log. */
export interface Sighting {
  /** The request's id including the try, as sent in `X-Request-Id`; of a proxy's own check of a backend, what it was in words. */
  id: string;
  host: string;
  /** Unix time in ms. */
  startedAt: number;
  endedAt: number;
  /** HTTP status that it answered; 0 when it answered nothing; `CLIENT_LEFT`. */
  status: number;
  /** The connection's other end as this host saw it, `address:port`. */
  peer: string;
  /** How long it waited for a free connection to a backend, from `queuedAt` on, ms. */
  queuedMs?: number;
  /** Unix time in ms at which it began to wait; absent: `startedAt`. */
  queuedAt?: number;
  tries: UpstreamTry[];
  /** A refusal by this node's own setting, before any backend was tried. */
  refusal?: { cause: Cause; evidence: string };
  /** The log line itself. */
  evidence: string;
}

/** A log line that tells of trouble but names no request: matched by connection or by time. */
export interface Incident {
  host: string;
  /** Unix time in ms, as exact as the log gives it. */
  at: number;
  cause: Cause;
  /** `address:port` of the client connection, where the log tells it. */
  peer?: string;
  evidence: string;
}

/** What a node's logs tell. */
export interface LogReading {
  sightings: Sighting[];
  incidents: Incident[];
}

/** A knob that a product cannot follow as written: why, and what to use instead. */
export interface KnobProblem {
  /** The knob's name; below it, the way to the value, as `['healthCheck', 'interval']`. */
  path: [knob: string, ...below: string[]];
  message: string;
  hint: string;
}

/** A kind of node. */
export interface NodeKind<Schema extends z.ZodObject = z.ZodObject, Name extends string = string> {
  kind: Name;
  layer: Layer;
  /** The kind's knobs, the common ones included; `kind` itself is added by the registry. */
  knobs: Schema;
  /** One sentence for `--help`, the JSON Schema and docs. */
  summary: string;
  /** Packages that the netns driver needs, by the command they bring: `{ nginx: 'nginx-light' }`. */
  commands: Record<string, string>;
  /** Folder of `docker/` whose image its hosts run in (docker driver). */
  image: string;
  /** Shared knobs that the product has no way to do, each with the reason, "; ", and what to use instead. */
  lacks?: Record<string, string>;
  /** What the product cannot do of these values, refused before anything starts (exit 2 with the place in the file). */
  refuse?(spec: z.output<Schema>): KnobProblem[];
  /** Backlog of its listeners where the scenario names none; absent: it has none, or it follows from other settings, or nobody knows. */
  defaultBacklog?: number;
  /** It holds a backend down for failed tries only where `maxFails` asks it to; else it does so by itself. */
  holdsDownIfAsked?: true;
  /** Requests beyond `backendConnections` wait in it as long as their client does; it has no `queueTimeout`. */
  waitsWithoutLimit?: true;
  /** An event may have it load its configuration again. */
  reloads?: true;
  /** Knobs that an event may change while it runs. An event `slow` needs `serviceTime` among them. */
  live?: readonly string[];
  /** How to ask for its version: argv; the first x.y.z of the output counts. */
  version?: { name: string; argv: string[] };
  /** Renders configuration, starts the daemons, resolves when they accept work. */
  start?(context: NodeContext<z.output<Schema>>): Promise<RunningNode>;
  /**
   * The user's own configuration file made fit for an image of the user's own: where such images expect it, and its text.
   * `beside` are files that belong to it, by their names, for the same folders. Absent where the kind takes no `config:`.
   */
  imageConfig?(context: NodeContext<z.output<Schema>>): {
    paths: string[];
    text: string;
    beside?: Record<string, string>;
    reducedAttribution?: string;
  };
  /**
   * Reads the logs of one host after the run. A server may leave out a request that it answered without a refusal and without a try
   * at a backend, where `wants`, asked by its id, does not want it: nearly all of its log is of that kind.
   */
  readLogs?(host: Host, wants?: (id: string) => boolean): Promise<LogReading>;
}

/** Gives a kind its types without stating them twice. */
export function defineKind<Schema extends z.ZodObject, const Name extends string>(
  kind: NodeKind<Schema, Name>,
): NodeKind<Schema, Name> {
  return kind;
}
