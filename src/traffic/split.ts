/** Splits a traffic plan over several senders, so that together they send exactly what one would have sent. */
import type { PlanPart, TrafficPlan } from './engine.js';

/**
 * Splits a plan into at most `wanted` parts, each a plan of its own with the same start.
 *
 * Whole clients go to a part as long as there are enough of them: each client's visitors, pool and turn of targets stay together
 * then. With more parts than clients, visitors go to the parts in turn, and every part takes its own turn of targets; a pool and
 * a closed loop belong to their client and are not split further.
 */
export function splitPlan(plan: TrafficPlan, wanted: number): TrafficPlan[] {
  const whole = plan.closedLoop !== undefined || plan.connections.mode === 'pooled';
  const of = whole ? Math.min(wanted, plan.clients.length) : wanted;
  return Array.from({ length: of }, (_, index) => partOf(plan, index, of));
}

function partOf(plan: TrafficPlan, index: number, of: number): TrafficPlan {
  const part = numbering(plan.clients.length, index, of);
  const mine = new Set(part.offsets);
  return {
    ...plan,
    part,
    clients: part.clients.map((client) => plan.clients[client]),
    arrivalsNs: plan.arrivalsNs.filter((_, visitor) => mine.has(visitor % part.period)),
    closedLoop: plan.closedLoop?.map(({ forMs, connections }) => ({
      forMs,
      connections: part.clients.reduce((sum, client) => sum + shareOf(connections, client, plan.clients.length), 0),
    })),
  };
}

/** Visitors repeat their pattern over parts and clients every `period` of them. */
function numbering(clients: number, index: number, of: number): PlanPart {
  const byClient = of <= clients;
  const period = byClient ? clients : leastCommonMultiple(clients, of);
  const offsets: number[] = [];
  for (let visitor = 0; visitor < period; visitor++)
    if ((byClient ? visitor % clients : visitor) % of === index) offsets.push(visitor);
  // A part's visitors come from its clients in turn, as those of any plan, in the order in which they stand here.
  return { period, offsets, clients: offsets.map((visitor) => visitor % clients), clientsInAll: clients, index, of };
}

/** Connections of one client host in a closed loop: as even as they can be, the first ones have one more. */
export function shareOf(connections: number, client: number, clients: number): number {
  return Math.floor(connections / clients) + (client < connections % clients ? 1 : 0);
}

function leastCommonMultiple(a: number, b: number): number {
  let [divisor, rest] = [a, b];
  while (rest > 0) [divisor, rest] = [rest, divisor % rest];
  return (a / divisor) * b;
}
