/** A lane: one undici Client and the one connection that it keeps, with what the outcomes need to know of it. */
import type net from 'node:net';
import { Client } from 'undici';
import type { TrafficClient } from '../engine.js';
import { ClientError, UNKNOWN_8 } from '../outcomes.js';
import { NO_RETRANSMIT_BELOW_NS, socketRetransmits } from '../tcp-info.js';
import { connectFailure, type Failure, openSocket } from './socket.js';

/** An hour: undici's own 4 s would close connections while their visitors think. A server's Keep-Alive header still counts. */
const KEEP_ALIVE_MS = 3_600_000;

/** One for all: making an error with its stack for each connection that is closed would cost as much as a request. */
const CLOSED = new Error('closed by its visitor');

/** A lane carries one request at a time, and has at most one connection. */
export interface Lane {
  client: Client;
  /** Index of its client host, and of its target there. */
  host: number;
  target: number;
  /** The request that it carries; -1 none. */
  row: number;
  /** Counts what it was asked to do, so that a deadline can tell whether it is still meant. */
  generation: number;
  socket: net.Socket | undefined;
  connecting: boolean;
  /** Number of its present connection in the trial, its local port, its retransmitted SYNs. */
  connection: number;
  localPort: number;
  synRetransmits: number;
  /** Why this engine or the kernel ended the present try, when that is known better than undici tells it. */
  failure: Failure | undefined;
  /** Abandons the request on its way; undefined before it was written. */
  abort: ((reason: Error) => void) | undefined;
}

/** What happens to a lane's connection, told to the sending loop. */
export interface LaneEvents {
  /** ns since the run's start. */
  now(): number;
  /** A connection is about to be opened; gives it its number. */
  opening(lane: Lane): number;
  /** connect() was called; the local port is known. */
  opened(lane: Lane): void;
  /** The handshake has finished. */
  connected(lane: Lane): void;
}

/** Makes a lane. It connects when the first request is dispatched, and again when the server has closed in between. */
export function openLane(clients: TrafficClient[], host: number, target: number, events: LaneEvents): Lane {
  const { address, port } = clients[host].targets[target];
  const client = new Client(`http://${address}:${port}`, {
    pipelining: 1,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // The scenario's own time-outs rule; 0 turns undici's off.
    headersTimeout: 0,
    bodyTimeout: 0,
    connect: (_options, established) => {
      connect(lane, clients[host].netns, address, port, events, established);
    },
  });
  const lane: Lane = {
    client,
    host,
    target,
    row: -1,
    generation: 0,
    socket: undefined,
    connecting: false,
    connection: -1,
    localPort: 0,
    synRetransmits: UNKNOWN_8,
    failure: undefined,
    abort: undefined,
  };
  return lane;
}

function connect(
  lane: Lane,
  netns: string | null,
  address: string,
  port: number,
  events: LaneEvents,
  established: (...result: [Error, null] | [null, net.Socket]) => void,
): void {
  lane.connecting = true;
  lane.localPort = 0;
  lane.synRetransmits = 0;
  const startedNs = events.now();
  lane.connection = events.opening(lane);
  const socket = openSocket(netns, address, port);
  const atOnce = socket.destroyed;
  lane.socket = socket;
  lane.localPort = socket.localPort ?? 0;
  events.opened(lane);
  socket.once('connect', () => {
    socket.off('error', failed);
    lane.connecting = false;
    if (events.now() - startedNs > NO_RETRANSMIT_BELOW_NS) lane.synRetransmits = socketRetransmits(socket);
    events.connected(lane);
    established(null, socket);
  });
  socket.once('error', failed);

  function failed(error: Error): void {
    lane.connecting = false;
    // A connect time-out has already said why.
    lane.failure ??= connectFailure(error, atOnce);
    if (lane.failure.error === ClientError.connectFailed) lane.synRetransmits = UNKNOWN_8;
    established(error, null);
  }
}

/** Gives a connection attempt up: the handshake has taken too long. */
export function giveUpConnecting(lane: Lane, failure: Failure): void {
  lane.failure = failure;
  if (lane.socket !== undefined) lane.synRetransmits = socketRetransmits(lane.socket);
  lane.socket?.destroy(new Error('connect time-out'));
}

/** Closes a lane and its connection, by FIN or by RST. */
export function closeLane(lane: Lane, reset: boolean): void {
  lane.generation++;
  if (reset) lane.socket?.resetAndDestroy();
  // Not at once: undici may be in the middle of telling of the response.
  queueMicrotask(() => void lane.client.destroy(CLOSED));
}
