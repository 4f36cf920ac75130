/** What is wrong with a forward proxy's place in a chain: only clients know how to ask one. */
import { isForwardProxy, layerOf, type Topology, targetNode } from '../topology/chain.js';
import type { Problem } from './problem.js';

/** The problems of one node that is a forward proxy; none for any other. */
export function forwardProxyProblems(topology: Topology, name: string): Problem[] {
  if (!isForwardProxy(topology[name])) return [];
  const path = ['topology', name, 'mode'];
  const before = Object.keys(topology).find(
    (other) => layerOf(topology[other]) === 'L7' && targetNode(topology, other) === name,
  );
  if (before !== undefined) {
    const message = `\`${before}\` would speak to the forward proxy \`${name}\` as to a server`;
    return [{ message, hint: 'let clients come first to a forward proxy, or use `mode: reverse`', path, at: 'value' }];
  }
  return [];
}
