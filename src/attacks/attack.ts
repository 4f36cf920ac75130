/** What an attack is to the program that runs it, and the connections that all attacks are made of. */
import { createConnection, type Socket } from 'node:net';
import type { AttackName, AttackReport } from './report.js';

/** Where an attack goes; only addresses of the testbed's plan. */
export interface AttackTarget {
  address: string;
  port: number;
}

/** All that an attack needs; bounded in count and time. */
export interface AttackSettings {
  attack: AttackName;
  targets: AttackTarget[];
  /** Attempts per second. */
  rate: number;
  /** Attempts in all, at most. */
  attempts: number;
  /** How long it goes on, ms. */
  forMs: number;
  /** Connections that it wants to hold at a time. */
  connections: number;
  /** Ports that a scan tries on each target. */
  scanPorts: { lo: number; hi: number };
  /** Account whose password is guessed: `guess-1`, `guess-2`, … */
  user: string;
}

/** One kind of attack under way. */
export interface Attack {
  /** Makes the next attempt. `false`: there is none to make now. */
  attempt(): boolean;
  /** There will be none any more. */
  done(): boolean;
}

/** Without an answer for so long an attempt has failed, ms. */
const PATIENCE_MS = 2000;

/** What an attack does with a connection. */
export interface ConnectionEvents {
  /** The handshake has finished. */
  connected?(socket: Socket): void;
  /** Bytes have come, as Latin-1 text in the pieces in which they arrive. */
  data?(socket: Socket, text: string): void;
  /** It is over, however it ended; called once. */
  over?(): void;
}

/** Opens a connection and counts what becomes of it. `patient` leaves a connection open that stands and says nothing. */
export function openConnection(
  report: AttackReport,
  target: AttackTarget,
  events: ConnectionEvents,
  patient = false,
): Socket {
  report.attempts++;
  let stands = false;
  let ended = false;
  const socket = createConnection({ host: target.address, port: target.port });
  const end = () => {
    if (ended) return;
    ended = true;
    events.over?.();
    socket.destroy();
  };
  socket.setTimeout(PATIENCE_MS, () => {
    if (ended || (stands && patient)) return;
    report.unanswered++;
    end();
  });
  socket.once('connect', () => {
    stands = true;
    report.connected++;
    events.connected?.(socket);
  });
  socket.on('data', (chunk) => events.data?.(socket, chunk.toString('latin1')));
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (!ended) countError(report, error.code, stands);
    end();
  });
  socket.on('end', () => {
    if (!ended) report.cut++;
    end();
  });
  // Closed by the attack itself.
  socket.on('close', end);
  return socket;
}

function countError(report: AttackReport, code: string | undefined, stood: boolean): void {
  if (stood) report.cut++;
  else if (code === 'ECONNREFUSED' || code === 'ECONNRESET') report.refused++;
  else if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') report.unanswered++;
  else report.failed++;
}

/** The status of an HTTP answer whose head begins so; undefined for anything else. */
export function statusOf(text: string): string | undefined {
  return /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
}
