/** How busy a host's daemons were, second by second: a daemon's one thread can be at its end while the machine has cores to spare. */
import { readdirSync } from 'node:fs';
import { parseCores } from '../sys/cores.js';
import { readProc } from '../sys/proc-file.js';
import { processTree } from './cpu.js';
import type { BusySpell } from './observations.js';

/** A thread's times since it began, ns: on a core, and ready to run without one (/proc/PID/task/TID/schedstat). */
interface ThreadTimes {
  pid: number;
  ranNs: number;
  waitedNs: number;
}

/** A host's busiest thread or process since the last call that gave one; undefined before a second has passed, and where the kernel does not tell. */
export type BusyReader = (timeNs: number) => Omit<BusySpell, 'host'> | undefined;

/** Threads are read this often: often enough to find a second in which one was at its end, and seldom enough to cost next to nothing. */
const READ_EVERY_NS = 1e9;

/** Begins to read the threads of these processes and of their descendants; `processes` is asked each time. */
export function busyReader(processes: () => Iterable<number>): BusyReader {
  let before: { timeNs: number; threads: Map<number, ThreadTimes> } | undefined;
  return (timeNs) => {
    if (before !== undefined && timeNs - before.timeNs < READ_EVERY_NS) return undefined;
    const now = { timeNs, threads: readThreads(processTree(processes())) };
    const most = before && busiest(before, now, coresOf);
    before = now;
    if (most === undefined) return undefined;
    const { pid, ...spell } = most;
    return { ...spell, program: readProc(`/proc/${pid}/comm`).trim() };
  };
}

type Reading = { timeNs: number; threads: ReadonlyMap<number, ThreadTimes> };

/**
 * What was busiest between two readings: the thread that ran or waited for a core for most of the time, or the process that used most of all the
 * cores it may use. A thread that began in between has not been there all the time and is left out.
 */
export function busiest(
  before: Reading,
  now: Reading,
  coresOf: (pid: number) => number,
): (Omit<BusySpell, 'host' | 'program'> & { pid: number }) | undefined {
  const spanNs = now.timeNs - before.timeNs;
  const share = (ns: number) => Math.min(1, Math.max(0, ns / spanNs));
  const common = { fromNs: before.timeNs, toNs: now.timeNs };
  const ofProcess = new Map<number, number>();
  let most: ReturnType<typeof busiest>;
  for (const [tid, { pid, ranNs, waitedNs }] of now.threads) {
    const earlier = before.threads.get(tid);
    if (earlier === undefined || earlier.pid !== pid) continue;
    const ran = share(ranNs - earlier.ranNs);
    // A thread cannot do both at the same time; the two numbers are not read at exactly the same moment.
    const waited = Math.min(1 - ran, share(waitedNs - earlier.waitedNs));
    ofProcess.set(pid, (ofProcess.get(pid) ?? 0) + ran);
    if (most === undefined || ran + waited > most.ran + most.waited)
      most = { ...common, pid, of: 'thread', ran, waited };
  }
  for (const [pid, cores] of ofProcess) {
    // With less than a core in all, no more than one thread's worth, the threads tell it.
    if (cores <= 1) continue;
    const ran = Math.min(1, cores / coresOf(pid));
    if (ran > most!.ran + most!.waited) most = { ...common, pid, of: 'process', ran, waited: 0 };
  }
  return most;
}

function readThreads(pids: Iterable<number>): Map<number, ThreadTimes> {
  const threads = new Map<number, ThreadTimes>();
  for (const pid of pids)
    for (const tid of threadsOf(pid)) {
      const times = /^(\d+) (\d+) /.exec(readProc(`/proc/${pid}/task/${tid}/schedstat`));
      if (times !== null) threads.set(Number(tid), { pid, ranNs: Number(times[1]), waitedNs: Number(times[2]) });
    }
  return threads;
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // It has just ended.
  }
}

function coresOf(pid: number): number {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(readProc(`/proc/${pid}/status`))?.[1];
  return Math.max(1, list === undefined ? 1 : parseCores(list).length);
}
