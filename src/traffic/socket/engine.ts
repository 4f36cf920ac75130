/** The `socket` engine: this project's own sockets on a thread of their own, every connection's fate known exactly. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { C, getrlimit } from '../../sys/libc.js';
import type { Engine, TrafficPlan } from '../engine.js';
import { lateness } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import type { WorkerInput, WorkerReport } from './worker.js';

/** A process with a higher limit would only make the tables by descriptor larger. */
const MOST_DESCRIPTORS = 1_048_576;

export const socketEngine: Engine = {
  name: 'socket',

  refuses(plan: TrafficPlan): string | undefined {
    if (plan.closedLoop !== undefined)
      return 'the socket engine sends in open loop; closed loop is for --engine autocannon';
    if (plan.connections.mode === 'pooled')
      return 'the socket engine has no connection pool; pooled is for --engine undici';
    return undefined;
  },

  async prepare(plan) {
    const visitors = plan.arrivalsNs.length;
    const out = outcomes(visitors, plan.steps.length);
    const stop = new SharedArrayBuffer(4);
    const limit = new BigUint64Array(2);
    getrlimit(C.RLIMIT_NOFILE, limit);
    const input: WorkerInput = {
      plan,
      buffer: out.buffer,
      visitors,
      steps: plan.steps.length,
      stop,
      descriptors: Math.min(Number(limit[0]), MOST_DESCRIPTORS),
    };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
    await once(worker, 'message');
    return {
      outcomes: out,
      async run(startNs) {
        const finished = once(worker, 'message') as Promise<[WorkerReport]>;
        worker.postMessage(Number(startNs));
        const [report] = await finished;
        return {
          engine: 'socket',
          ...lateness(out.dueNs, out.sentNs, out.rows),
          cpuSeconds: report.userSeconds + report.systemSeconds,
          userSeconds: report.userSeconds,
          systemSeconds: report.systemSeconds,
          ownFailures: report.ownFailures,
          timer: report.timer,
          notes:
            report.timer === 'epoll_wait' ? ['this kernel has no epoll_pwait2: waits are rounded to milliseconds'] : [],
        };
      },
      stop() {
        Atomics.store(new Int32Array(stop), 0, 1);
      },
      async close() {
        await worker.terminate();
      },
    };
  },
};
