/** The sending thread: says `ready`, waits for the start, sends everything, reports. */
import { parentPort, workerData } from 'node:worker_threads';
import { C, prctl } from '../../sys/libc.js';
import { askForShortTurns } from '../../sys/scheduling.js';
import type { TrafficPlan } from '../engine.js';
import { type CpuTime, cpuSince, threadCpu } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { rehearsalPlan } from '../rehearsal.js';
import type { StartOrder } from '../sending-thread.js';
import { type LoopReport, openSender } from './loop.js';

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
/** To compare both ways, or where a kernel's io_uring is not to be trusted. */
const waiting = process.env.PORTPARTY_EVENTS === 'epoll' ? 'epoll' : 'ring';
const input = workerData as WorkerInput;

/** More of them cost start-up and make the first second no more punctual. */
const REHEARSED_REQUESTS = 100;

const sender = openSender(input.plan, input.descriptors, waiting);

/** Sends a short plan like the real one, so that the real one meets code that has run. */
function rehearse(rehearsalPort: number): void {
  const plan = rehearsalPlan(input.plan, rehearsalPort, REHEARSED_REQUESTS);
  const going = new Int32Array(new SharedArrayBuffer(4));
  const out = outcomes(plan.arrivalsNs.length, plan.steps.length);
  sender.send(plan, out, going, Number(process.hrtime.bigint()));
}

if (input.rehearsalPort !== undefined) rehearse(input.rehearsalPort);

port.once('message', ({ startNs }: StartOrder) => {
  // The kernel may round a wait up by the timer slack, 50 us by default.
  prctl(C.PR_SET_TIMERSLACK, 1, 0, 0, 0);
  askForShortTurns(SHORTEST_TURN_NS);
  const before = threadCpu();
  const out = outcomes(input.visitors, input.steps, input.buffer);
  const report = sender.send(input.plan, out, new Int32Array(input.stop), startNs);
  sender.dispose();
  port.postMessage({ ...report, cpu: cpuSince(before) } satisfies WorkerReport);
});
port.postMessage('ready');
