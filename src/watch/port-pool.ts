/** Which ports the kernel hands out by itself, and how many of them are left to be had: the size of every pool. Does no I/O. */
import type { PortRange } from '../scenario/units.js';
import { TIME_WAIT_SECONDS } from './pool-table.js';

/** The settings behind every pool of this machine. */
export interface PortPool {
  /** `net.ipv4.ip_local_port_range`; IPv6 shares it. */
  range: PortRange;
  /** Ports of the range that `net.ipv4.ip_local_reserved_ports` withholds. */
  reserved: number;
  /** Ports of the range that a socket has bound by itself, listening or not: withheld from every connection. */
  bound: number;
  /** What is left: how many connections there can be from one address to one destination. */
  capacity: number;
}

/** Ports of the whole number space: 1 for those that connections cannot have. */
export type BlockedPorts = Uint8Array;

/** Text of ip_local_reserved_ports, `8080,9148-9150`, as a map of ports. */
export function parseReservedPorts(text: string): BlockedPorts {
  const blocked = new Uint8Array(65_536);
  for (const part of text.trim().split(',')) {
    if (part === '') continue;
    const [lo, hi = lo] = part.split('-').map(Number);
    blocked.fill(1, lo, hi + 1);
  }
  return blocked;
}

/** The size of a pool, from the range, the reserved ports, and those that sockets have bound. */
export function portPool(range: PortRange, reserved: BlockedPorts, bound: BlockedPorts): PortPool {
  let withheld = 0;
  let taken = 0;
  for (let port = range.lo; port <= range.hi; port++) {
    if (reserved[port] === 1) withheld++;
    else if (bound[port] === 1) taken++;
  }
  return { range, reserved: withheld, bound: taken, capacity: range.hi - range.lo + 1 - withheld - taken };
}

/** When the kernel gives a port in TIME_WAIT to a new connection, as `net.ipv4.tcp_tw_reuse` says. */
export interface TimeWaitReuse {
  /** 0 never, 1 always, 2 over loopback addresses only. */
  mode: 0 | 1 | 2;
  /** How long it must have been in TIME_WAIT, whole seconds, at least 1 (`net.ipv4.tcp_tw_reuse_delay`, ms, where there is one). */
  afterSeconds: number;
}

/** Texts of tcp_tw_reuse, tcp_tw_reuse_delay and tcp_timestamps; '' for one that this kernel does not have. */
export function parseTimeWaitReuse(reuse: string, delayMs: string, timestamps: string): TimeWaitReuse {
  // Reuse rests on timestamps: without them the kernel could not tell old segments from new ones.
  const mode = timestamps.trim() === '0' ? 0 : Number(reuse.trim() || 0);
  const afterSeconds = Math.max(1, Math.ceil(Number(delayMs.trim() || 1000) / 1000));
  return { mode: mode === 1 || mode === 2 ? mode : 0, afterSeconds };
}

/** For how many seconds a socket in TIME_WAIT keeps its port from a new connection; `loopback` is about the pool's addresses. */
export function heldSeconds({ mode, afterSeconds }: TimeWaitReuse, loopback: boolean): number {
  return mode === 1 || (mode === 2 && loopback) ? Math.min(afterSeconds, TIME_WAIT_SECONDS) : TIME_WAIT_SECONDS;
}
