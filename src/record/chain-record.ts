/** The chain of one trial as the record keeps it (`chains.ndjson`): what an explanation needs to name places, pools and knobs. */
import type { ScenarioVariant, Traffic } from '../scenario/scenario.js';
import type { Endpoint, Layer, Plan } from '../topology/plan.js';

/** A node of the chain with all its hosts. */
export interface ChainNode {
  kind: string;
  layer: Layer;
  /** The next hop. */
  to?: string;
  hosts: { name: string; addresses: string[] }[];
  /** Where the connections of its first host go; absent where it opens none. */
  targets?: Endpoint[];
  /** Its knobs, resolved: times in ms. */
  spec: Record<string, unknown>;
}

/** The chain of one trial. */
export interface ChainRecord {
  nodes: Record<string, ChainNode>;
  traffic: Traffic;
}

/** Takes from a variant and its plan what the record keeps. */
export function chainRecord(
  { topology, traffic }: Pick<ScenarioVariant, 'topology' | 'traffic'>,
  plan: Plan,
): ChainRecord {
  const nodes: Record<string, ChainNode> = {};
  for (const { name, node, kind, layer, interfaces } of plan.hosts) {
    if (nodes[node] === undefined) {
      const { kind: _, to, ...spec } = topology[node];
      const targets = plan.targets[name] ?? [];
      nodes[node] = {
        kind,
        layer,
        ...(to === undefined ? {} : { to }),
        hosts: [],
        ...(targets.length === 0 ? {} : { targets }),
        spec,
      };
    }
    nodes[node].hosts.push({ name, addresses: interfaces.flatMap(({ addresses }) => addresses) });
  }
  return { nodes, traffic };
}
