/** The way along `to` from one node to the next. */
import { kindOf, type NodeSpec } from '../nodes/registry.js';
import type { Layer } from './plan.js';

export type Topology = Record<string, NodeSpec>;

/** The layer at which a node works. */
export function layerOf(spec: NodeSpec): Layer {
  return kindOf(spec.kind).layer;
}

/** Whether a node is a proxy that its clients ask for other servers by their whole URI. */
export function isForwardProxy(spec: NodeSpec): boolean {
  return spec.kind === 'squid' && spec.mode === 'forward';
}

/** The node's name and all that follow it along `to`; ends where a name repeats (a loop) or is no node. */
export function chainFrom(topology: Topology, name: string): string[] {
  const chain: string[] = [];
  for (
    let at: string | undefined = name;
    at !== undefined && Object.hasOwn(topology, at) && !chain.includes(at);
    at = topology[at].to
  ) {
    chain.push(at);
  }
  return chain;
}

/** The node that a node's own connections go to: the first proxy or server behind it; undefined at the chain's end. */
export function targetNode(topology: Topology, name: string): string | undefined {
  return chainFrom(topology, name)
    .slice(1)
    .find((node) => ['L7', 'server'].includes(layerOf(topology[node])));
}
