/** The process's table of file descriptors: its limit, and room in it before anything is measured. */
import { C, close, dup2, getrlimit, setrlimit } from './libc.js';

/** A higher limit would only make tables by descriptor larger. */
const MOST_DESCRIPTORS = 1_048_576;

/** How many descriptors this process may have open (RLIMIT_NOFILE, soft). */
export function descriptorLimit(): number {
  return limits().soft;
}

/** How many it may have once `raiseDescriptorLimit` has been called (RLIMIT_NOFILE, hard). */
export function hardDescriptorLimit(): number {
  return limits().hard;
}

function limits(): { soft: number; hard: number } {
  const limit = new BigUint64Array(2);
  getrlimit(C.RLIMIT_NOFILE, limit);
  const [soft, hard] = [...limit].map((bound) => Math.min(Number(bound), MOST_DESCRIPTORS));
  return { soft, hard };
}

/**
 * Makes the kernel's table large enough for `count` descriptors now. It doubles on demand otherwise, at 64, 256, 512, …, and
 * in a process with threads each doubling waits for an RCU grace period, some 10 ms in which nothing is sent or accepted
 * (fs/file.c, expand_fdtable).
 */
export function reserveDescriptors(count: number): void {
  const highest = Math.min(count, descriptorLimit()) - 1;
  const ANY_OPEN_DESCRIPTOR = 2;
  if (dup2(ANY_OPEN_DESCRIPTOR, highest) === highest) close(highest);
}

/** Every connection of the testbed's clients and servers costs a descriptor; the soft limit is often 1,024, and the hard one far above. */
export function raiseDescriptorLimit(): void {
  const limit = new BigUint64Array(2);
  if (getrlimit(C.RLIMIT_NOFILE, limit) !== 0) return;
  limit[0] = limit[1];
  setrlimit(C.RLIMIT_NOFILE, limit);
}
