/**
 * A tap on one host: every IPv4/TCP segment with SYN or RST that enters or leaves it, through an AF_PACKET socket
 * with a filter in the kernel and a ring of frames in shared memory (packet(7), Documentation/networking/packet_mmap.rst).
 */
import { close as closeInBackground } from 'node:fs';
import { testbedError } from '../errors.js';
import {
  bind,
  C,
  close,
  errno,
  errnoName,
  getsockopt,
  isMapFailed,
  mmap,
  munmap,
  setsockopt,
  setsockoptInBackground,
  socket,
  viewMemory,
} from '../sys/libc.js';
import { inNamespace } from '../sys/namespace.js';
import type { Host } from '../testbed/host.js';
import { fromTimespec, type RunClock } from './clock.js';
import { doubled, newColumns } from './columns.js';
import type { TapTable } from './observations.js';
import { attachFilter, type Instruction } from './socket-filter.js';
import { flagsOf, isnOf, TAP_SHAPE, tapTable } from './tap-table.js';

/** An open tap. */
export interface Tap {
  /** Packets that its ring has room for. */
  frames: number;
  /** Takes over what has arrived since the last time. Call it often enough that the ring cannot fill. */
  drain(): void;
  /** Takes over the rest, ends the tap and gives the table. */
  close(): TapTable;
}

/** Frames of a ring unless asked otherwise: 4 MB, the segments of 8,000 connections through a gateway. */
export const DEFAULT_FRAMES = 32_768;
const LEAST_FRAMES = 1024;

/** Header (52 bytes), alignment and room for addresses take 80 bytes of it; 48 remain for the headers of IP and TCP. */
const FRAME_BYTES = 128;
const BLOCK_BYTES = 65_536;
const SNAP_BYTES = 48;

const TPACKET_V2 = 1;
const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
const ETH_P_ALL = 3;
const PACKET_OUTGOING = 4;

// Offsets in struct tpacket2_hdr, and in the struct sockaddr_ll that follows it at 32 (<linux/if_packet.h>).
const NET_OFFSET = 14;
const SECONDS = 16;
const NANOSECONDS = 20;
const PACKET_TYPE = 32 + 10;

/**
 * The segments wanted, from the IP header on.
 * A segment with more than 12 bytes of IP options does not fit the frame and is not taken; TCP stacks send none.
 */
const FILTER: readonly Instruction[] = [
  [0x28, 0, 0, 0xffff_f01c], // ldh  hardware type of the interface (SKF_AD_HATYPE)
  [0x15, 13, 0, 772], //        jeq  ARPHRD_LOOPBACK -> drop: loopback would show everything twice
  [0x28, 0, 0, 0xffff_f000], // ldh  protocol (SKF_AD_PROTOCOL)
  [0x15, 0, 11, 0x0800], //     jeq  ETH_P_IP, else drop
  [0x30, 0, 0, 9], //           ldb  IP protocol
  [0x15, 0, 9, C.IPPROTO_TCP], // jeq TCP, else drop
  [0x30, 0, 0, 0], //           ldb  IP version and header length
  [0x54, 0, 0, 0x0f], //        and
  [0x25, 6, 0, 8], //           jgt  8 words -> drop
  [0x28, 0, 0, 6], //           ldh  fragment offset
  [0x45, 4, 0, 0x1fff], //      jset a later fragment -> drop
  [0xb1, 0, 0, 0], //           ldxb 4 * IP header length
  [0x50, 0, 0, 13], //          ldb  TCP flags
  [0x45, 0, 1, 0x06], //        jset SYN or RST, else drop
  [0x06, 0, 0, SNAP_BYTES], //  ret
  [0x06, 0, 0, 0], //           drop
];

/** Starts to watch a host. Throws a PortPartyError (exit 3) where the kernel does not let it. */
export async function openTap(
  host: Pick<Host, 'name' | 'netns'>,
  clock: RunClock,
  frames = DEFAULT_FRAMES,
): Promise<Tap> {
  const failed = (what: string) =>
    testbedError(`cannot watch the packets of ${host.name}: ${what}: ${errnoName(errno())}`, host.name);

  // Protocol 0 hears nothing: filter and ring are in place before the first packet can come in.
  const fd = inNamespace(host.netns, () => socket(C.AF_PACKET, C.SOCK_DGRAM | C.SOCK_CLOEXEC, 0));
  if (fd < 0) throw failed('socket(AF_PACKET)');
  const abandon = (what: string) => {
    const error = failed(what);
    close(fd);
    return error;
  };
  if (!attachFilter(fd, FILTER)) throw abandon('SO_ATTACH_FILTER');
  if (setsockopt(fd, C.SOL_PACKET, C.PACKET_VERSION, words(TPACKET_V2), 4) !== 0) throw abandon('TPACKET_V2');
  const ringFrames = await makeRing(fd, frames);
  if (ringFrames === 0) throw abandon('PACKET_RX_RING');
  const ringBytes = ringFrames * FRAME_BYTES;
  const memory = mmap(null, ringBytes, C.PROT_READ | C.PROT_WRITE, C.MAP_SHARED, fd, 0);
  if (isMapFailed(memory)) throw abandon('mmap');
  if (bind(fd, anyInterface(), 20) !== 0) throw abandon('bind');

  const ring = viewMemory(memory, ringBytes);
  const status = new Int32Array(ring);
  const bytes = new DataView(ring);
  const toRunTime = fromTimespec(clock);
  let columns = newColumns(TAP_SHAPE, 4096);
  let length = 0;
  let frame = 0;

  function take(at: number): void {
    if (length === columns.timeNs.length) columns = doubled(TAP_SHAPE, columns);
    const row = length++;
    const ip = at + bytes.getUint16(at + NET_OFFSET, true);
    const tcp = ip + (bytes.getUint8(ip) & 0x0f) * 4;
    columns.timeNs[row] = toRunTime(bytes.getUint32(at + SECONDS, true), bytes.getUint32(at + NANOSECONDS, true));
    columns.source[row] = bytes.getUint32(ip + 12);
    columns.destination[row] = bytes.getUint32(ip + 16);
    columns.sourcePort[row] = bytes.getUint16(tcp);
    columns.destinationPort[row] = bytes.getUint16(tcp + 2);
    const flags = bytes.getUint8(tcp + 13);
    columns.isn[row] = isnOf(flags, bytes.getUint32(tcp + 4), bytes.getUint32(tcp + 8));
    columns.flags[row] = flagsOf(flags, bytes.getUint8(at + PACKET_TYPE) === PACKET_OUTGOING);
  }

  function drain(): void {
    // At most once around: packets that keep coming must not hold the event loop for ever.
    for (let taken = 0; taken < ringFrames; taken++) {
      const at = frame * FRAME_BYTES;
      // Atomics order the reads of the packet after the kernel's hand-over, and the hand-back after them.
      if ((Atomics.load(status, at / 4) & TP_STATUS_USER) === 0) return;
      take(at);
      Atomics.store(status, at / 4, TP_STATUS_KERNEL);
      frame = frame + 1 === ringFrames ? 0 : frame + 1;
    }
  }

  return {
    frames: ringFrames,
    drain,
    close() {
      drain();
      const statistics = new Uint8Array(8);
      getsockopt(fd, C.SOL_PACKET, C.PACKET_STATISTICS, statistics, Uint32Array.of(8));
      const kernelDrops = new DataView(statistics.buffer).getUint32(4, true);
      munmap(memory, ringBytes);
      // In the background for the same reason as the ring's making. Nothing is lost should it fail.
      closeInBackground(fd, () => {});
      return tapTable(host.name, columns, length, kernelDrops);
    },
  };
}

function words(...values: number[]): Uint8Array {
  return new Uint8Array(Uint32Array.from(values).buffer);
}

/** struct sockaddr_ll: all protocols on all interfaces, those made later included. */
function anyInterface(): Uint8Array {
  const address = new Uint8Array(20);
  const view = new DataView(address.buffer);
  view.setUint16(0, C.AF_PACKET, true);
  view.setUint16(2, ETH_P_ALL);
  return address;
}

/** struct tpacket_req. Returns the frames that the ring has: fewer where memory is short, 0 where there can be none. */
async function makeRing(fd: number, wanted: number): Promise<number> {
  const perBlock = BLOCK_BYTES / FRAME_BYTES;
  for (let frames = Math.max(wanted, LEAST_FRAMES); frames >= LEAST_FRAMES; frames = Math.floor(frames / 2)) {
    const blocks = Math.ceil(frames / perBlock);
    const request = words(BLOCK_BYTES, blocks, FRAME_BYTES, blocks * perBlock);
    // In the background, because the kernel waits for all of its cores here: 15 ms for one tap and for twenty at once.
    if ((await setsockoptInBackground(fd, C.SOL_PACKET, C.PACKET_RX_RING, request)) === 0) return blocks * perBlock;
  }
  return 0;
}
