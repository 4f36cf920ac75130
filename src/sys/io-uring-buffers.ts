/** Buffers that io_uring chooses from for what it receives, shared with the kernel (io_uring_register(2), <linux/io_uring.h>). */
import { addressOf, C, ioUringRegister, isMapFailed, mmap, munmap, viewMemory } from './libc.js';

/** Buffers for what is received, a power of two. */
const BUFFERS = 4096;
/** Bytes of each. */
export const BUFFER_BYTES = 4096;
const REGISTER_PBUF_RING = 22;
/** struct io_uring_buf: address, length, number; the ring's tail lies in the first one's unused last field. */
const BUF_BYTES = 16;

/** Buffers of one ring. */
export interface ReceiveBuffers {
  /** The bytes of all, BUFFER_BYTES each. */
  memory: Buffer;
  /** Lets the kernel fill that buffer. */
  give(buffer: number): void;
  /** Gives the kernel none any more; the ring must not be waited with then. */
  dispose(): void;
}

/** Gives the kernel buffers for the ring `fd` to receive into (IORING_REGISTER_PBUF_RING, Linux 5.19); undefined where it takes none. */
export function registerBuffers(fd: number): ReceiveBuffers | undefined {
  const memory = Buffer.allocUnsafeSlow(BUFFERS * BUFFER_BYTES);
  const from = addressOf(memory);
  const ringAt = mmap(null, BUFFERS * BUF_BYTES, C.PROT_READ | C.PROT_WRITE, C.MAP_PRIVATE | C.MAP_ANONYMOUS, -1, 0);
  if (isMapFailed(ringAt)) return undefined;
  const registration = new DataView(new ArrayBuffer(40));
  registration.setBigUint64(0, ringAt, true);
  registration.setUint32(8, BUFFERS, true);
  if (ioUringRegister(C.SYS_io_uring_register, fd, REGISTER_PBUF_RING, new Uint8Array(registration.buffer), 1) !== 0) {
    munmap(ringAt, BUFFERS * BUF_BYTES);
    return undefined;
  }
  const view = viewMemory(ringAt, BUFFERS * BUF_BYTES);
  const longs = new BigUint64Array(view);
  const words = new Uint32Array(view);
  const halves = new Uint16Array(view);
  const addresses = Array.from({ length: BUFFERS }, (_, index) => from + BigInt(index * BUFFER_BYTES));
  const give = (buffer: number) => {
    const tail = halves[7];
    const slot = tail & (BUFFERS - 1);
    longs[slot * 2] = addresses[buffer];
    words[slot * 4 + 2] = BUFFER_BYTES;
    halves[slot * 8 + 6] = buffer;
    halves[7] = tail + 1;
  };
  for (let buffer = 0; buffer < BUFFERS; buffer++) give(buffer);
  return { memory, give, dispose: () => munmap(ringAt, BUFFERS * BUF_BYTES) };
}
