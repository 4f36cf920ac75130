/** The undici engine's thread: says that it is ready, waits for the start, sends everything, reports. */
import { parentPort, workerData } from 'node:worker_threads';
import type { TrafficPlan } from '../engine.js';
import { type CpuTime, cpuSince, threadCpu } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import type { ThreadOrder } from '../sending-thread.js';
import { type Sending, startSending } from './loop.js';
import { warmUp } from './warm-up.js';

/** What the main thread hands over. */
export interface WorkerInput {
  plan: TrafficPlan;
  visitors: number;
  steps: number;
  buffer: SharedArrayBuffer;
}

/** What the thread says at its end. */
export interface WorkerReport {
  cpu: CpuTime;
  ownFailures: number;
}

const port = parentPort!;
const { plan, visitors, steps, buffer } = workerData as WorkerInput;
let sending: Sending | undefined;

async function run(startNs: number): Promise<void> {
  const before = threadCpu();
  sending = startSending(plan, outcomes(visitors, steps, buffer), startNs);
  const ownFailures = await sending.finished;
  port.postMessage({ cpu: cpuSince(before), ownFailures } satisfies WorkerReport);
}

await warmUp(plan);
port.on('message', (order: ThreadOrder) => {
  if (order === 'stop') sending?.stop();
  else void run(order.startNs);
});
port.postMessage('ready');
