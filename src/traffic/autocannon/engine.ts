/** The `autocannon` engine: closed loop, that many connections as fast as they can, one thread per client host. */
import type { Engine, TrafficPlan } from '../engine.js';
import { lateness } from '../generator-report.js';
import { outcomes } from '../outcomes.js';
import { sendingThread } from '../sending-thread.js';
import type { WorkerInput, WorkerReport } from './worker.js';

/** Requests per second that the outcomes have room for; more than autocannon sends on a core of today. */
const ROWS_PER_SECOND = 20_000;

/** Closed loop only: a request is due when the one before it on its connection has ended, so its latency hides a queue. */
export const autocannonEngine: Engine = {
  name: 'autocannon',

  refuses(plan) {
    if (plan.closedLoop === undefined)
      return 'the autocannon engine sends in closed loop (`connections:` in the phases); for rates use --engine socket';
    if (plan.holdForMs !== undefined) return 'closed loop cannot hold connections; use rates and --engine socket';
    if (plan.retry.attempts > 0) return 'closed loop does not try again; set retry.attempts to 0';
    return undefined;
  },

  async prepare(plan) {
    const hosts = plan.clients.length;
    const visitorsPerHost = roomPerHost(plan);
    const out = outcomes(visitorsPerHost * hosts, plan.steps.length);
    const threads = await Promise.all(
      plan.clients.map((_, host) => {
        const input: WorkerInput = { plan, host, visitors: out.visitors, steps: out.steps, buffer: out.buffer };
        return sendingThread<WorkerReport>(new URL('./worker.js', import.meta.url), input);
      }),
    );
    return {
      outcomes: out,
      async run(startNs) {
        const reports = await Promise.all(threads.map((thread) => thread.run(startNs)));
        const sum = (of: (report: WorkerReport) => number) => reports.reduce((total, report) => total + of(report), 0);
        return {
          engine: 'autocannon',
          ...lateness(out.dueNs, out.sentNs, out.rows),
          cpuSeconds: sum(({ cpu }) => cpu.cpuSeconds),
          userSeconds: sum(({ cpu }) => cpu.userSeconds),
          systemSeconds: sum(({ cpu }) => cpu.systemSeconds),
          ownFailures: sum(({ ownFailures }) => ownFailures),
          timer: 'none: a request is due when the one before it on its connection has ended',
          notes: notesOn(
            plan,
            reports.some(({ full }) => full),
          ),
        };
      },
      stop() {
        for (const thread of threads) thread.stop();
      },
      async close() {
        await Promise.all(threads.map((thread) => thread.close()));
      },
    };
  },
};

function roomPerHost(plan: TrafficPlan): number {
  const seconds = plan.closedLoop!.reduce((sum, phase) => sum + phase.forMs, 0) / 1000;
  const connections = Math.max(...plan.closedLoop!.map((phase) => phase.connections));
  const rows = Math.ceil(seconds * ROWS_PER_SECOND) + connections * plan.steps.length;
  return Math.ceil(rows / plan.steps.length / (plan.part?.clientsInAll ?? plan.clients.length)) + 1;
}

function notesOn(plan: TrafficPlan, full: boolean): string[] {
  const notes = ['closed loop: a slow system slows the arrivals, and latency counts from the actual send time'];
  if (plan.connections.mode === 'per-request' || plan.close !== 'client')
    notes.push('closed loop keeps its connections open, whatever `connections:` and `close:` say');
  if (plan.steps.length > 1 && plan.thinkTimeMs > 0) notes.push('closed loop sends without think time');
  if (full) notes.push(`stopped early: the record has room for ${ROWS_PER_SECOND} requests a second`);
  return notes;
}
