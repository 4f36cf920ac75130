/** A worker thread that sends: it says that it is ready, is told when to start, and answers with a report. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { startingOn } from '../sys/scheduling.js';
import type { TrafficPlan } from './engine.js';

/** Send, from CLOCK_MONOTONIC `startNs` on. */
export interface StartOrder {
  startNs: number;
}

/** What the main thread tells a sending thread. */
export type ThreadOrder = StartOrder | 'stop';

/** A sending thread that is ready to start. */
export interface SendingThread<Report> {
  /** Starts it at CLOCK_MONOTONIC `startNs`; resolves with its report, rejects with whatever ended it. */
  run(startNs: bigint): Promise<Report>;
  /** Asks by message, which a thread that never returns to its event loop does not get. */
  stop(): void;
  /** Ends the thread at once, whatever it is doing. */
  close(): Promise<void>;
}

/** Starts the built worker file at `url` with `input` as its `workerData`, on the core of its plan, and waits until it is ready. */
export async function sendingThread<Report>(url: URL, input: { plan: TrafficPlan }): Promise<SendingThread<Report>> {
  const start = () => new Worker(url, { workerData: input });
  const { sendOn } = input.plan;
  const worker = sendOn === undefined ? start() : startingOn([sendOn], start);
  await once(worker, 'message');
  return {
    async run(startNs) {
      const report = once(worker, 'message') as Promise<[Report]>;
      const order: ThreadOrder = { startNs: Number(startNs) };
      worker.postMessage(order);
      return (await report)[0];
    },
    stop() {
      const order: ThreadOrder = 'stop';
      worker.postMessage(order);
    },
    async close() {
      await worker.terminate();
    },
  };
}
