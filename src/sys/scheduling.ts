/** How the kernel's scheduler treats the calling thread. */
import { syscall3 } from './libc.js';

/** Numbers of sched_setattr(2), <asm/unistd.h>. */
const SCHED_SETATTR: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274 };
/** sizeof(struct sched_attr), first version (<linux/sched/types.h>). */
const ATTRIBUTE_BYTES = 48;
const POLICY_OFFSET = 4;
const RUNTIME_OFFSET = 24;
/** <linux/sched.h> */
const SCHED_IDLE = 5;

/**
 * Asks for short turns: a thread that wakes for a moment's work then comes before one that computes, without more share of
 * the processor (kernel 6.12, sched(7) on EEVDF slices; no privilege needed). Older kernels take no notice.
 * @param sliceNs length of a turn, 100,000 to 100,000,000 ns
 */
export function askForShortTurns(sliceNs: number): void {
  setAttributes((view) => view.setBigUint64(RUNTIME_OFFSET, BigInt(sliceNs), true));
}

/**
 * From now on the thread runs where a processor has nothing else to do, and stops when anybody else wants it (SCHED_IDLE, sched(7)). No
 * privilege is needed, but one to come back from it.
 */
export function runOnlyWhenIdle(): void {
  setAttributes((view) => view.setUint32(POLICY_OFFSET, SCHED_IDLE, true));
}

/** sched_setattr(2) of the calling thread; what a kernel refuses stays as it is. */
function setAttributes(set: (attributes: DataView) => void): void {
  const number = SCHED_SETATTR[process.arch];
  if (number === undefined) return;
  const attributes = new Uint8Array(ATTRIBUTE_BYTES);
  const view = new DataView(attributes.buffer);
  view.setUint32(0, ATTRIBUTE_BYTES, true);
  set(view);
  syscall3(number, 0, attributes, 0);
}
