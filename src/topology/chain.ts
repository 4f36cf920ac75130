/** The way along `to` from one node to the next. */
import { kindOf, type NodeSpec } from '../nodes/registry.js';
import type { Layer } from './plan.js';
import { sendersAmong } from './senders.js';

/** The nodes of a scenario by their names. */
export type Topology = Record<string, NodeSpec>;

/** The layer of a node's kind: what it does with connections. */
export function layerOf(spec: NodeSpec): Layer {
  return kindOf(spec.kind).layer;
}

/** Whether a node is a proxy that its clients ask for other servers by their whole URI. */
export function isForwardProxy(spec: NodeSpec): boolean {
  return 'mode' in spec && spec.mode === 'forward';
}

/** Whether visitors come from this node. An attacker opens connections as a client does, and is none. */
export function sendsVisitors(spec: NodeSpec): boolean {
  return spec.kind === 'client';
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

/** The nodes whose own packets, with an address of theirs, cross a gateway. */
export function sendersThrough(topology: Topology, gateway: string): string[] {
  const nodes = Object.entries(topology).map(([name, spec]) => ({
    name,
    kind: spec.kind,
    layer: layerOf(spec),
    to: spec.to,
  }));
  return sendersAmong(nodes, gateway);
}
