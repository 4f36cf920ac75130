/** How the kernel's scheduler treats the calling thread. */
import { syscall3 } from './libc.js';

/** Numbers of sched_setattr(2), <asm/unistd.h>. */
const SCHED_SETATTR: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274 };
/** sizeof(struct sched_attr), first version (<linux/sched/types.h>). */
const ATTRIBUTE_BYTES = 48;
const RUNTIME_OFFSET = 24;

/**
 * Asks for short turns: a thread that wakes for a moment's work then comes before one that computes, without more share of
 * the processor (kernel 6.12, sched(7) on EEVDF slices; no privilege needed). Older kernels take no notice.
 * @param sliceNs length of a turn, 100,000 to 100,000,000 ns
 */
export function askForShortTurns(sliceNs: number): void {
  const number = SCHED_SETATTR[process.arch];
  if (number === undefined) return;
  const attributes = new Uint8Array(ATTRIBUTE_BYTES);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, ATTRIBUTE_BYTES, true);
  view.setBigUint64(RUNTIME_OFFSET, BigInt(sliceNs), true);
  syscall3(number, 0, attributes, 0);
}
