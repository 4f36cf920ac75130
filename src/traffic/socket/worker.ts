/** The sending thread: says `ready`, waits for the start, sends everything, reports. */
import { parentPort, workerData } from 'node:worker_threads';
import { C, prctl } from '../../sys/libc.js';
import { askForShortTurns } from '../../sys/scheduling.js';
import type { TrafficPlan } from '../engine.js';
import { type CpuTime, cpuSince, threadCpu } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { rehearsalPlan } from '../rehearsal.js';
import type { StartOrder } from '../sending-thread.js';
import { type LoopReport, sendAll } from './loop.js';

/** What the main thread hands over. */
export interface WorkerInput {
  plan: TrafficPlan;
  buffer: SharedArrayBuffer;
  visitors: number;
  steps: number;
  /** Int32[1]; other than 0: stop. */
  stop: SharedArrayBuffer;
  descriptors: number;
  /** Port of the rehearsal server on loopback, in the main thread; undefined where there is none. */
  rehearsalPort: number | undefined;
}

/** What the thread says at its end. */
export interface WorkerReport extends LoopReport {
  cpu: CpuTime;
}

/** The kernel's lower bound. */
const SHORTEST_TURN_NS = 100_000;

const port = parentPort!;
const input = workerData as WorkerInput;

/**
 * Twice: each sending makes its functions anew, and what V8 has compiled for those of one sending alone it throws away at the next.
 * More of them take longer than what they save, and make the first second no more punctual.
 */
const REHEARSALS = 2;
const REQUESTS = 200;

/** Sends a short plan like the real one, so that the real one meets compiled code. */
function rehearse(rehearsalPort: number): void {
  const plan = rehearsalPlan(input.plan, rehearsalPort, REQUESTS);
  const going = new Int32Array(new SharedArrayBuffer(4));
  sendAll(
    plan,
    outcomes(plan.arrivalsNs.length, plan.steps.length),
    going,
    Number(process.hrtime.bigint()),
    input.descriptors,
  );
}

if (input.rehearsalPort !== undefined)
  for (let rehearsal = 0; rehearsal < REHEARSALS; rehearsal++) rehearse(input.rehearsalPort);

port.once('message', ({ startNs }: StartOrder) => {
  // The kernel may round a wait up by the timer slack, 50 us by default.
  prctl(C.PR_SET_TIMERSLACK, 1, 0, 0, 0);
  askForShortTurns(SHORTEST_TURN_NS);
  const before = threadCpu();
  const report = sendAll(
    input.plan,
    outcomes(input.visitors, input.steps, input.buffer),
    new Int32Array(input.stop),
    startNs,
    input.descriptors,
  );
  port.postMessage({ ...report, cpu: cpuSince(before) } satisfies WorkerReport);
});
port.postMessage('ready');
