/** One time for all observations: nanoseconds since the run's start, from the kernel's wall clock and from its steady one. */
import { C, clockGettime } from '../sys/libc.js';

/** The run's start on both clocks, ns. */
export interface RunClock {
  /** CLOCK_MONOTONIC, which `process.hrtime` and the engines use. */
  monotonicAtStartNs: bigint;
  /** CLOCK_REALTIME, which packets, connection table entries and logs carry. */
  realtimeAtStartNs: bigint;
  /** How far the two can be apart from each other because they cannot be read at one instant. */
  uncertaintyNs: number;
}

const PAIRS = 16;
const NS = 1_000_000_000n;

function now(clock: number, time: BigInt64Array): bigint {
  clockGettime(clock, time);
  return time[0] * NS + time[1];
}

/** Both clocks of a machine at one instant, ns. */
export interface ClockReading {
  monotonicNs: bigint;
  realtimeNs: bigint;
  /** How far the two can be apart from each other because they cannot be read at one instant. */
  uncertaintyNs: number;
}

/** Reads this machine's clocks, several times over, and gives the pair that was read closest together. */
export function readClocks(): ClockReading {
  const time = new BigInt64Array(2);
  let best: { monotonicNs: bigint; realtimeNs: bigint; width: bigint } | undefined;
  // The tightest of several pairs: a preemption between two readings would shift every packet's time.
  for (let i = 0; i < PAIRS; i++) {
    const before = now(C.CLOCK_MONOTONIC, time);
    const realtimeNs = now(C.CLOCK_REALTIME, time);
    const width = now(C.CLOCK_MONOTONIC, time) - before;
    if (best === undefined || width < best.width) best = { monotonicNs: before + width / 2n, realtimeNs, width };
  }
  const { monotonicNs, realtimeNs, width } = best!;
  return { monotonicNs, realtimeNs, uncertaintyNs: Number(width) };
}

/**
 * Relates the clocks once, for a run whose start is `startNs` on CLOCK_MONOTONIC (it may lie in the future).
 * `reading` is of the machine whose clocks count: this one, unless the hosts are elsewhere.
 */
export function runClock(startNs: bigint, reading = readClocks()): RunClock {
  return {
    monotonicAtStartNs: startNs,
    realtimeAtStartNs: startNs + reading.realtimeNs - reading.monotonicNs,
    uncertaintyNs: reading.uncertaintyNs,
  };
}

/** ns since the run's start, now. */
export function nowSinceStart(clock: RunClock): number {
  return Number(process.hrtime.bigint() - clock.monotonicAtStartNs);
}

/** Unix time in ms of the run's start, with its fraction. */
export function startedAtMs(clock: RunClock): number {
  return Number(clock.realtimeAtStartNs) / 1e6;
}

/** Converts a wall-clock time of seconds and nanoseconds to ns since the start, without a bigint per packet. */
export function fromTimespec(clock: RunClock): (seconds: number, nanoseconds: number) => number {
  const startSeconds = Number(clock.realtimeAtStartNs / NS);
  const startNanoseconds = Number(clock.realtimeAtStartNs % NS);
  return (seconds, nanoseconds) => (seconds - startSeconds) * 1e9 + (nanoseconds - startNanoseconds);
}

/** Converts a wall-clock time of 64-bit nanoseconds, given as its two 32-bit halves, to ns since the start. */
export function fromHalves(clock: RunClock): (high: number, low: number) => number {
  const startHigh = Number(clock.realtimeAtStartNs >> 32n);
  const startLow = Number(clock.realtimeAtStartNs & 0xffff_ffffn);
  return (high, low) => (high - startHigh) * 2 ** 32 + (low - startLow);
}
