/** Classic BPF programs on a socket: the kernel hands over only what they let pass (socket(7), <linux/filter.h>). */
import { addressOf, C, setsockopt } from '../sys/libc.js';

/** An instruction as [code, jump if true, jump if false, k]. */
export type Instruction = readonly [number, number, number, number];

/** Attaches a program. False where the kernel refuses; errno tells why. */
export function attachFilter(fd: number, instructions: readonly Instruction[]): boolean {
  const program = Buffer.alloc(instructions.length * 8);
  instructions.forEach(([code, jumpTrue, jumpFalse, k], index) => {
    program.writeUInt16LE(code, index * 8);
    program.writeUInt8(jumpTrue, index * 8 + 2);
    program.writeUInt8(jumpFalse, index * 8 + 3);
    program.writeUInt32LE(k, index * 8 + 4);
  });
  // struct sock_fprog: a 16-bit length, and at 8 a pointer to struct sock_filter of 8 bytes each.
  const header = Buffer.alloc(16);
  header.writeUInt16LE(instructions.length, 0);
  header.writeBigUInt64LE(addressOf(program), 8);
  return setsockopt(fd, C.SOL_SOCKET, C.SO_ATTACH_FILTER, header, 16) === 0;
}
