/** Whose packets cross a gateway with an address of their own: what rules and port blocks can tell apart. */
import type { Layer, Plan } from './plan.js';

/** What must be known of a node. */
interface Sender {
  name: string;
  kind: string;
  layer: Layer;
  to?: string;
}

/** All behind the gateway up to the next NAT gateway or proxy, these included. */
export function sendersAmong(nodes: Sender[], gateway: string): string[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const crosses = (from: Sender): boolean => {
    const seen = new Set<Sender>();
    for (let at = from.to; at !== undefined; ) {
      if (at === gateway) return true;
      const next = byName.get(at);
      // Only a firewall passes packets on as they are.
      if (next?.kind !== 'firewall' || seen.has(next)) return false;
      seen.add(next);
      at = next.to;
    }
    return false;
  };
  return nodes
    .filter((node) => node.layer !== 'server' && node.kind !== 'firewall' && crosses(node))
    .map(({ name }) => name);
}

/** The addresses that a gateway sees connections from, in the plan's order. */
export function senderAddresses(plan: Plan, gateway: string): string[] {
  const nodes = new Map(
    plan.hosts.map(({ node, kind, layer, spec }) => [node, { name: node, kind, layer, to: spec.to }]),
  );
  const senders = sendersAmong([...nodes.values()], gateway);
  return plan.hosts
    .filter(({ node }) => senders.includes(node))
    .flatMap(({ interfaces }) => interfaces.filter(({ name }) => name.startsWith('back')))
    .flatMap(({ addresses }) => addresses);
}
