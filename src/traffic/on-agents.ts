/** Sends a plan from the hosts themselves: each client's visitors by the agent of its host, all outcomes brought together here. */
import type { HostAgent } from '../agent/host-agent.js';
import { type Engine, type PlanPart, type PreparedTraffic, type TrafficPlan, visitorNumber } from './engine.js';
import { mergeReports } from './generator-report.js';
import { outcomes } from './outcomes.js';
import { applyRows } from './row-batch.js';
import { splitPlan } from './split.js';

/**
 * Prepares a plan on the agents of its clients, in their order. Times count on the agents' clock; outcomes come in while it runs.
 * What it does fails with a PortPartyError (exit 3) that names the host when an agent ends.
 */
export async function prepareOnAgents(
  engine: Engine['name'],
  plan: TrafficPlan,
  agents: HostAgent[],
): Promise<PreparedTraffic> {
  const parts = splitPlan(plan, agents.length);
  const senders = await Promise.all(parts.map((part, index) => agents[index].prepare(engine, part)));
  const visitors = Math.max(...senders.map((sender, index) => visitorsUpTo(parts[index].part!, sender.visitors)));
  const whole = outcomes(visitors, plan.steps.length);
  return {
    outcomes: whole,
    async run(startNs) {
      const reports = await Promise.all(
        senders.map((sender, index) => sender.run(startNs, (batch) => applyRows(whole, parts[index].part!, batch))),
      );
      return mergeReports(reports, whole);
    },
    stop() {
      for (const sender of senders) sender.stop();
    },
    async close() {
      await Promise.all(senders.map((sender) => sender.close()));
    },
  };
}

/** How many visitors the whole has at least when a part has so many. */
function visitorsUpTo(part: PlanPart, visitors: number): number {
  return visitors === 0 ? 0 : visitorNumber(part, visitors - 1) + 1;
}
