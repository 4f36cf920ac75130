/** How the kernel's scheduler treats threads: how long their turns are, and which cores they may run on. */
import { readdirSync } from 'node:fs';
import { schedGetaffinity, schedSetaffinity, syscall3 } from './libc.js';

/** Numbers of sched_setattr(2), <asm/unistd.h>. */
const SCHED_SETATTR: Partial<Record<NodeJS.Architecture, number>> = { x64: 314, arm64: 274 };
/** sizeof(struct sched_attr), first version (<linux/sched/types.h>). */
const ATTRIBUTE_BYTES = 48;
const POLICY_OFFSET = 4;
const RUNTIME_OFFSET = 24;
/** <linux/sched.h> */
const SCHED_IDLE = 5;
/** A cpu_set_t of 8,192 cores, the most that Linux can be built for; sched_getaffinity(2) refuses one that is too small. */
const MASK_BYTES = 1024;
/** Of sched_setaffinity(2): the calling thread. */
const THIS_THREAD = 0;

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

/** The cores that the calling thread may run on, in rising order; empty where the kernel does not say. */
export function allowedCores(): number[] {
  const mask = new Uint8Array(MASK_BYTES);
  if (schedGetaffinity(THIS_THREAD, MASK_BYTES, mask) < 0) return [];
  return [...mask.keys()].flatMap((byte) =>
    [0, 1, 2, 3, 4, 5, 6, 7].filter((bit) => mask[byte] & (1 << bit)).map((bit) => byte * 8 + bit),
  );
}

/** Lets every thread of this process run on these cores only; threads and processes that they start do the same. False where the kernel refuses. */
export function keepProcessOn(cores: readonly number[]): boolean {
  return readdirSync('/proc/self/task').every((thread) => keepThreadOn(Number(thread), cores));
}

/**
 * Calls `work` with the calling thread on these cores, and brings it back to those where it was: what `work` starts stays on them.
 * `work` must do its starting before it returns.
 */
export function startingOn<T>(cores: readonly number[], work: () => T): T {
  const before = allowedCores();
  keepThreadOn(THIS_THREAD, cores);
  try {
    return work();
  } finally {
    keepThreadOn(THIS_THREAD, before);
  }
}

function keepThreadOn(thread: number, cores: readonly number[]): boolean {
  const mask = new Uint8Array(MASK_BYTES);
  for (const core of cores) mask[core >> 3] |= 1 << (core & 7);
  return schedSetaffinity(thread, MASK_BYTES, mask) === 0;
}
