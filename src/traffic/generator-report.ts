/** What every engine says of itself in the same way: how late it was, and the CPU that its thread took. */
import { C, getrusage } from '../sys/libc.js';
import type { GeneratorReport } from './engine.js';
import type { Outcomes } from './outcomes.js';

/** Actual minus planned send time, ms. */
export interface Lateness {
  lateP50Ms: number;
  lateP99Ms: number;
  lateMaxMs: number;
}

/**
 * Lateness over the first `rows` rows of the columns, nanoseconds both; rows that were never sent (NaN) do not count.
 * Percentiles by nearest rank; all 0 when nothing was sent.
 */
export function lateness(dueNs: Float64Array, sentNs: Float64Array, rows: number): Lateness {
  const late = new Float64Array(rows);
  let count = 0;
  for (let row = 0; row < rows; row++) {
    const ns = sentNs[row] - dueNs[row];
    if (!Number.isNaN(ns)) late[count++] = ns;
  }
  const sorted = late.subarray(0, count).sort();
  const at = (share: number) => (count === 0 ? 0 : sorted[Math.max(0, Math.ceil(share * count) - 1)] / 1e6);
  return { lateP50Ms: at(0.5), lateP99Ms: at(0.99), lateMaxMs: at(1) };
}

/** What the senders of a plan's parts say together. `out` holds the outcomes of the whole. */
export function mergeReports(reports: GeneratorReport[], out: Outcomes): GeneratorReport {
  const sum = (of: (report: GeneratorReport) => number) => reports.reduce((total, report) => total + of(report), 0);
  const distinct = (values: string[]) => [...new Set(values)];
  return {
    engine: reports[0].engine,
    ...lateness(out.dueNs, out.sentNs, out.rows),
    cpuSeconds: sum(({ cpuSeconds }) => cpuSeconds),
    userSeconds: sum(({ userSeconds }) => userSeconds),
    systemSeconds: sum(({ systemSeconds }) => systemSeconds),
    ownFailures: sum(({ ownFailures }) => ownFailures),
    timer: distinct(reports.map(({ timer }) => timer)).join('; '),
    notes: distinct(reports.flatMap(({ notes }) => notes)),
  };
}

/** CPU seconds of one thread. */
export interface CpuTime {
  cpuSeconds: number;
  userSeconds: number;
  systemSeconds: number;
}

/** CPU that the calling thread has used since it began: getrusage(2), RUSAGE_THREAD. */
export function threadCpu(): CpuTime {
  // struct rusage begins with ru_utime and ru_stime, each seconds and microseconds in 64 bits; 144 bytes in all.
  const usage = new BigInt64Array(18);
  getrusage(C.RUSAGE_THREAD, usage);
  const userSeconds = Number(usage[0]) + Number(usage[1]) / 1e6;
  const systemSeconds = Number(usage[2]) + Number(usage[3]) / 1e6;
  return { cpuSeconds: userSeconds + systemSeconds, userSeconds, systemSeconds };
}

/** CPU that the calling thread has used since `before`, an earlier `threadCpu()`. */
export function cpuSince(before: CpuTime): CpuTime {
  const after = threadCpu();
  return {
    cpuSeconds: after.cpuSeconds - before.cpuSeconds,
    userSeconds: after.userSeconds - before.userSeconds,
    systemSeconds: after.systemSeconds - before.systemSeconds,
  };
}
