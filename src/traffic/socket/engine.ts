/** The `socket` engine: this project's own sockets on a thread of their own, every connection's fate known exactly. */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import {
  descriptorLimit,
  hardDescriptorLimit,
  raiseDescriptorLimit,
  reserveDescriptors,
} from '../../sys/descriptors.js';
import type { Engine, PreparedTraffic, TrafficPlan } from '../engine.js';
import { lateness } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { rehearsalServer } from '../rehearsal.js';
import { sendingThread } from '../sending-thread.js';
import { prepareInProcesses } from './processes.js';
import { DESCRIPTORS_BESIDE, keptOpen, type SendingMachine, sendersFor } from './senders.js';
import type { WorkerInput, WorkerReport } from './worker.js';

/** Open loop, without a pool; it sees connect(2)'s errno, the local port and the retransmitted SYNs of every connection. */
export const socketEngine: Engine = {
  name: 'socket',

  refuses(plan: TrafficPlan): string | undefined {
    if (plan.closedLoop !== undefined)
      return 'the socket engine sends in open loop; closed loop is for --engine autocannon';
    if (plan.connections.mode === 'pooled')
      return 'the socket engine has no connection pool; pooled is for --engine undici';
    const machine = sendingMachine();
    if (sendersFor(plan, machine) === undefined)
      return (
        `${keptOpen(plan)} connections are to be open at once, and this machine has no descriptors for them: ` +
        `${machine.descriptors} in one process (ulimit -n), ${machine.openFiles} in all (fs.file-max)`
      );
    return undefined;
  },

  async prepare(plan) {
    const senders = sendersFor(plan, sendingMachine()) ?? 1;
    return senders > 1 ? prepareInProcesses(plan, senders) : prepareHere(plan);
  },
};

/** Where this is no Linux the hosts are on another machine, which says itself what it has not. */
function sendingMachine(): SendingMachine {
  if (process.platform !== 'linux')
    return { descriptors: Number.POSITIVE_INFINITY, openFiles: Number.POSITIVE_INFINITY, cores: 1 };
  return {
    descriptors: hardDescriptorLimit(),
    openFiles: Number(readFileSync('/proc/sys/fs/file-max', 'utf8')),
    cores: availableParallelism(),
  };
}

/** On a thread of this process. */
async function prepareHere(plan: TrafficPlan): Promise<PreparedTraffic> {
  const visitors = plan.arrivalsNs.length;
  const out = outcomes(visitors, plan.steps.length);
  const stop = new SharedArrayBuffer(4);
  raiseDescriptorLimit();
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
  const thread = await sendingThread<WorkerReport>(new URL('./worker.js', import.meta.url), input);
  rehearsal?.close();
  return {
    outcomes: out,
    async run(startNs) {
      const { cpu, ownFailures, timer } = await thread.run(startNs);
      return {
        engine: 'socket',
        ...lateness(out.dueNs, out.sentNs, out.rows),
        ...cpu,
        ownFailures,
        timer,
        notes: timer === 'epoll_wait' ? ['this kernel has no epoll_pwait2: waits are rounded to milliseconds'] : [],
      };
    },
    stop() {
      Atomics.store(new Int32Array(stop), 0, 1);
    },
    close: thread.close,
  };
}
