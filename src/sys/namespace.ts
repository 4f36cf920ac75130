/** Work inside another network namespace: setns(2) there and back, synchronously, on the calling thread only. */
import { closeSync, openSync } from 'node:fs';
import { testbedError } from '../errors.js';
import { C, errno, errnoName, exitNow, setns } from './libc.js';

let home: number | undefined;
const opened = new Map<string, number>();

/** This thread's own namespace, opened once. */
function homeNamespace(): number {
  home ??= openSync('/proc/thread-self/ns/net', 'r');
  return home;
}

/**
 * Calls `work` with the calling thread inside the network namespace at `path` (null: where it is), and comes back.
 * Sockets made and processes spawned in there stay there. `work` must be synchronous. Throws a testbedError where it may not enter;
 * where it cannot come back, the process ends with exit code 3.
 */
export function inNamespace<T>(path: string | null, work: () => T): T {
  if (path === null) return work();
  const back = homeNamespace();
  let fd = opened.get(path);
  if (fd === undefined) {
    fd = openSync(path, 'r');
    opened.set(path, fd);
  }
  if (setns(fd, C.CLONE_NEWNET) !== 0)
    throw testbedError(`cannot enter network namespace ${path}: ${errnoName(errno())}`);
  try {
    return work();
  } finally {
    if (setns(back, C.CLONE_NEWNET) !== 0) strandedInForeignNamespace();
  }
}

/** Going on would send traffic from a wrong host: better to end than to measure falsehoods. */
function strandedInForeignNamespace(): never {
  process.stderr.write(`portparty: cannot return to the own network namespace: ${errnoName(errno())}\n`);
  return exitNow(3);
}

/** Closes the descriptors that `inNamespace` keeps, so that the kernel can remove namespaces that have ended. */
export function forgetNamespaces(): void {
  for (const fd of opened.values()) closeSync(fd);
  opened.clear();
}
