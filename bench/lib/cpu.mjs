/** CPU time of processes: of children that have ended, by getrusage(2), and of one that runs, by /proc. Seconds. */
import { readFileSync } from 'node:fs';
import { getrusage } from '../../dist/sys/libc.js';

const RUSAGE_CHILDREN = -1;
/** struct rusage: ru_utime and ru_stime, each seconds and microseconds in 64 bits; 144 bytes in all. */
const RUSAGE_WORDS = 18;

/** What all children took that have ended and were waited for, with all of their threads and their own children, from exec to exit. */
export function endedChildrenCpu() {
  const usage = new BigInt64Array(RUSAGE_WORDS);
  getrusage(RUSAGE_CHILDREN, usage);
  const user = Number(usage[0]) + Number(usage[1]) / 1e6;
  const system = Number(usage[2]) + Number(usage[3]) / 1e6;
  return { user, system };
}

/** What they took since `before`. */
export function endedChildrenSince(before) {
  const { user, system } = endedChildrenCpu();
  return {
    user: user - before.user,
    system: system - before.system,
    total: user + system - before.user - before.system,
  };
}

/** Anonymous memory of a process that runs, shared buffers included, bytes: its own, not that of files that it has mapped. */
export function ownMemory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? 0);
  return (kilobytes('RssAnon') + kilobytes('RssShmem')) * 1024;
}
