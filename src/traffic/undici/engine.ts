/** The `undici` engine: connections used the way Node.js applications use them, on a thread of its own. */
import type { Engine } from '../engine.js';
import { lateness } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { sendingThread } from '../sending-thread.js';
import { PACER_TIMER } from './pacer.js';
import type { WorkerInput, WorkerReport } from './worker.js';

/** Open loop with undici's Client, pooled or not; it cannot hold a connection without a request. */
export const undiciEngine: Engine = {
  name: 'undici',

  refuses(plan) {
    if (plan.closedLoop !== undefined)
      return 'the undici engine sends in open loop; closed loop is for --engine autocannon';
    if (plan.holdForMs !== undefined)
      return 'the undici engine cannot hold a connection without a request; use --engine socket';
    if (plan.close === 'server' && plan.connections.mode !== 'pooled')
      return 'undici closes as soon as a response is whole, so the server cannot close first; use --engine socket';
    return undefined;
  },

  async prepare(plan) {
    const visitors = plan.arrivalsNs.length;
    const out = outcomes(visitors, plan.steps.length);
    const input: WorkerInput = { plan, visitors, steps: plan.steps.length, buffer: out.buffer };
    const thread = await sendingThread<WorkerReport>(new URL('./worker.js', import.meta.url), input);
    return {
      outcomes: out,
      async run(startNs) {
        const { cpu, ownFailures } = await thread.run(startNs);
        return {
          engine: 'undici',
          ...lateness(out.dueNs, out.sentNs, out.rows),
          ...cpu,
          ownFailures,
          timer: PACER_TIMER,
          notes: [],
        };
      },
      stop: thread.stop,
      close: thread.close,
    };
  },
};
