/** The `socket` engine: this project's own sockets on a thread of their own, every connection's fate known exactly. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { descriptorLimit, reserveDescriptors } from '../../sys/descriptors.js';
import type { Engine, TrafficPlan } from '../engine.js';
import { lateness } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { rehearsalServer } from '../rehearsal.js';
import type { WorkerInput, WorkerReport } from './worker.js';

/** Descriptors that the process has open beside its connections: logs, taps, namespaces. */
const DESCRIPTORS_BESIDE = 1024;

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
    reserveDescriptors(visitors + DESCRIPTORS_BESIDE);
    const rehearsal = await rehearsalServer();
    const input: WorkerInput = {
      plan,
      buffer: out.buffer,
      visitors,
      steps: plan.steps.length,
      stop,
      descriptors: descriptorLimit(),
      rehearsalPort: rehearsal?.port,
    };
    const worker = new Worker(new URL('./worker.js', import.meta.url), { workerData: input });
    await once(worker, 'message');
    rehearsal?.close();
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
