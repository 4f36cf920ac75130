/** Sends a plan from several processes of this machine, a part each: agents, as hosts that cannot be entered have them. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { connectAgent, type HostAgent } from '../../agent/connect.js';
import { testbedError } from '../../errors.js';
import type { PreparedTraffic, TrafficPlan } from '../engine.js';
import { prepareOnAgents } from '../on-agents.js';

const AGENT = fileURLToPath(new URL('../../agent/main.js', import.meta.url));

/**
 * Starts the processes and makes each ready for its part; the first planned moment is the same for all. They end with this one.
 * Throws a PortPartyError (exit 3) when one cannot be started or ends.
 */
export async function prepareInProcesses(plan: TrafficPlan, senders: number): Promise<PreparedTraffic> {
  const started = await Promise.allSettled(
    Array.from({ length: senders }, (_, index) => startSender(`sender ${index + 1} of ${senders}`)),
  );
  const there = started.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const agents = there.map(({ agent }) => agent);
  const end = () => Promise.all(agents.map((agent) => agent.close()));
  try {
    for (const one of started) if (one.status === 'rejected') throw one.reason;
    const prepared = await prepareOnAgents('socket', plan, agents);
    return {
      ...prepared,
      senders: there.map(({ pid }) => pid),
      async run(startNs) {
        const report = await prepared.run(startNs);
        return { ...report, notes: [`sent by ${senders} processes`, ...report.notes] };
      },
      async close() {
        await prepared.close();
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function startSender(name: string): Promise<{ agent: HostAgent; pid: number }> {
  // A session of its own: Ctrl-C is for the process that decides what becomes of the run.
  const child = spawn(process.execPath, [AGENT], { stdio: 'pipe', detached: true });
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(testbedError(`cannot start ${name}: ${error.message}`, name)));
  });
  const agent = await Promise.race([connectAgent(child.stdout, child.stdin, name, child.stderr), failed]);
  return { agent, pid: child.pid! };
}
