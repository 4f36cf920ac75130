/** Netlink sockets: opening one inside a namespace, asking, and walking through messages and attributes in place (netlink(7)). */
import { testbedError } from '../errors.js';
import { bind, C, close, errno, errnoName, recv, send, setsockopt, socket } from '../sys/libc.js';
import { inNamespace } from '../sys/namespace.js';

/** Message types and flags of <linux/netlink.h>. */
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_DUMP = 0x300;
/** Flag of a NEW message for an entry that has just been made; one for a change lacks it (<linux/netlink.h>). */
export const NLM_F_CREATE = 0x400;
const NLM_F_DUMP_INTR = 0x10;

/** Bytes of struct nlmsghdr. */
export const HEADER_BYTES = 16;

/** A netlink socket with its buffer. */
export interface Netlink {
  fd: number;
  buffer: Uint8Array;
  view: DataView;
}

/** Where a message lies in the buffer: its payload from `at` to `end`. */
export type OnMessage = (type: number, at: number, end: number) => void;

/**
 * Opens a socket of a netlink family inside a network namespace. It keeps speaking to that namespace afterwards.
 * Throws a testbedError that names `what` was to be read.
 */
export function openNetlink(netns: string | null, family: number, what: string, bufferBytes = 65_536): Netlink {
  const fd = inNamespace(netns, () => socket(C.AF_NETLINK, C.SOCK_RAW | C.SOCK_CLOEXEC, family));
  if (fd < 0) throw testbedError(`cannot read ${what}: socket(AF_NETLINK): ${errnoName(errno())}`);
  const address = new Uint8Array(12);
  new DataView(address.buffer).setUint16(0, C.AF_NETLINK, true);
  if (bind(fd, address, 12) !== 0) {
    const error = testbedError(`cannot read ${what}: bind(AF_NETLINK): ${errnoName(errno())}`);
    close(fd);
    throw error;
  }
  const buffer = new Uint8Array(bufferBytes);
  return { fd, buffer, view: new DataView(buffer.buffer) };
}

/** Asks for as large a receive buffer as the kernel grants: beyond `rmem_max` only where root outside asks. */
export function widenReceiveBuffer(netlink: Netlink, bytes: number): void {
  const value = new Uint8Array(Uint32Array.of(bytes).buffer);
  if (setsockopt(netlink.fd, C.SOL_SOCKET, C.SO_RCVBUFFORCE, value, 4) !== 0)
    setsockopt(netlink.fd, C.SOL_SOCKET, C.SO_RCVBUF, value, 4);
}

/** Joins a multicast group of the family (NFNLGRP_* of <linux/netfilter/nfnetlink.h>). Throws as `openNetlink` does. */
export function joinGroup(netlink: Netlink, group: number, what: string): void {
  const value = new Uint8Array(Uint32Array.of(group).buffer);
  if (setsockopt(netlink.fd, C.SOL_NETLINK, C.NETLINK_ADD_MEMBERSHIP, value, 4) !== 0)
    throw testbedError(`cannot read ${what}: NETLINK_ADD_MEMBERSHIP: ${errnoName(errno())}`);
}

/** A dump request: header, then `payload`. */
export function dumpRequest(type: number, payload: Uint8Array): Uint8Array {
  const request = new Uint8Array(HEADER_BYTES + payload.length);
  const view = new DataView(request.buffer);
  view.setUint32(0, request.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, NLM_F_REQUEST | NLM_F_DUMP, true);
  request.set(payload, HEADER_BYTES);
  return request;
}

/** How a dump ended: `interrupted` means that the table changed meanwhile and an entry can be missing or doubled. */
export type DumpEnd = 'complete' | 'interrupted';

/** Sends a dump request and visits every answer. Blocks until the kernel has given all of it. Throws as `openNetlink` does. */
export function dump(netlink: Netlink, request: Uint8Array, what: string, onMessage: OnMessage): DumpEnd {
  if (send(netlink.fd, request, request.length, 0) < 0)
    throw testbedError(`cannot read ${what}: send: ${errnoName(errno())}`);
  let end: DumpEnd = 'complete';
  for (;;) {
    const received = recv(netlink.fd, netlink.buffer, netlink.buffer.length, 0);
    if (received < 0) {
      if (errno() === C.EINTR) continue;
      throw testbedError(`cannot read ${what}: recv: ${errnoName(errno())}`);
    }
    let done = false;
    walkMessages(netlink.view, received, (type, at, messageEnd) => {
      if ((netlink.view.getUint16(at - HEADER_BYTES + 6, true) & NLM_F_DUMP_INTR) !== 0) end = 'interrupted';
      if (type === NLMSG_DONE) done = true;
      else if (type === NLMSG_ERROR)
        throw testbedError(`cannot read ${what}: ${errnoName(-netlink.view.getInt32(at, true))}`);
      else onMessage(type, at, messageEnd);
    });
    if (done) return end;
  }
}

/** Visits the messages in the first `length` bytes of a buffer. */
export function walkMessages(view: DataView, length: number, onMessage: OnMessage): void {
  for (let at = 0; at + HEADER_BYTES <= length; ) {
    const size = view.getUint32(at, true);
    if (size < HEADER_BYTES) return;
    onMessage(view.getUint16(at + 4, true), at + HEADER_BYTES, at + size);
    at += (size + 3) & ~3;
  }
}

/** Offset of an attribute's payload among those from `at` to `end`; -1 when it is not there. */
export function findAttribute(view: DataView, at: number, end: number, wanted: number): number {
  for (let here = at; here + 4 <= end; ) {
    const size = view.getUint16(here, true);
    if (size < 4) return -1;
    // The two highest bits say "nested" and "network byte order".
    if ((view.getUint16(here + 2, true) & 0x3fff) === wanted) return here + 4;
    here += (size + 3) & ~3;
  }
  return -1;
}

/** End of the attribute whose payload begins at `payload`. */
export function attributeEnd(view: DataView, payload: number): number {
  return payload - 4 + view.getUint16(payload - 4, true);
}
