/** The autocannon engine's thread of one client host: it enters the host's network namespace and stays there. */
import { openSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { testbedError } from '../../errors.js';
import { C, errno, errnoName, setns } from '../../sys/libc.js';
import type { TrafficPlan } from '../engine.js';
import { type CpuTime, cpuSince, threadCpu } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import type { ThreadOrder } from '../sending-thread.js';
import { type ClosedLoop, closedLoop } from './closed-loop.js';

/** What the main thread hands over. */
export interface WorkerInput {
  plan: TrafficPlan;
  /** Index of the client host that this thread sends from. */
  host: number;
  visitors: number;
  steps: number;
  buffer: SharedArrayBuffer;
}

/** What the thread says at its end. */
export interface WorkerReport {
  cpu: CpuTime;
  ownFailures: number;
  /** The outcomes had no more room. */
  full: boolean;
}

const port = parentPort!;
const { plan, host, visitors, steps, buffer } = workerData as WorkerInput;
let loop: ClosedLoop | undefined;

function enter(netns: string | null): void {
  if (netns !== null && setns(openSync(netns, 'r'), C.CLONE_NEWNET) !== 0)
    throw testbedError(`cannot enter network namespace ${netns}: ${errnoName(errno())}`, plan.clients[host].host);
}

async function run(startNs: number): Promise<void> {
  const before = threadCpu();
  loop = closedLoop(plan, host, outcomes(visitors, steps, buffer), startNs);
  const { ownFailures, full } = await loop.finished;
  port.postMessage({ cpu: cpuSince(before), ownFailures, full } satisfies WorkerReport);
}

enter(plan.clients[host].netns);
port.on('message', (order: ThreadOrder) => {
  if (order === 'stop') loop?.stop();
  else void run(order.startNs);
});
port.postMessage('ready');
