/** How often a connection's SYN was repeated, by the kernel's own count (TCP_INFO). */
import type { Socket } from 'node:net';
import { C, getsockopt } from '../sys/libc.js';
import { UNKNOWN_8 } from './outcomes.js';

/** The first SYN is repeated after a second (TCP_TIMEOUT_INIT), so a handshake that took less, ns, had none. */
export const NO_RETRANSMIT_BELOW_NS = 0.9e9;

/** Offset of tcpi_total_retrans in struct tcp_info (<linux/tcp.h>). */
const TOTAL_RETRANS_OFFSET = 100;

/** Shared by all calls of a thread: the numbers are taken over at once. */
const info = new Uint8Array(TOTAL_RETRANS_OFFSET + 4);
const view = new DataView(info.buffer);
const length = new Uint32Array(1);

/** Segments that a connection has retransmitted so far; before any data these are its SYNs. `UNKNOWN_8` where the kernel does not say. */
export function retransmits(fd: number): number {
  length[0] = info.length;
  if (getsockopt(fd, C.IPPROTO_TCP, C.TCP_INFO, info, length) !== 0) return UNKNOWN_8;
  return Math.min(view.getUint32(TOTAL_RETRANS_OFFSET, true), UNKNOWN_8 - 1);
}

/** The same of one of Node's sockets; `UNKNOWN_8` also when it is closed. */
export function socketRetransmits(socket: Socket): number {
  const fd = (socket as unknown as { _handle: { fd: number } | null })._handle?.fd ?? -1;
  return fd < 0 ? UNKNOWN_8 : retransmits(fd);
}
