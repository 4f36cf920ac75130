/** Weights that are not one for each backend. */
import type { KnobProblem } from '../nodes/kind.js';
import { type Topology, targetNode } from '../topology/chain.js';

/** The problems of one node's `weights`; none for a node without, or without backends. */
export function weightCountProblems(topology: Topology, name: string): KnobProblem[] {
  const spec = topology[name];
  const target = targetNode(topology, name);
  if (!('weights' in spec) || spec.weights === undefined || target === undefined) return [];
  const { length } = spec.weights;
  const { hosts } = topology[target];
  if (length === hosts) return [];
  const message = `${length} ${length === 1 ? 'weight' : 'weights'} for ${hosts} ${hosts === 1 ? 'backend' : 'backends'}`;
  const last = hosts === 1 ? target : `${target}[0] to ${target}[${hosts - 1}]`;
  return [{ path: ['weights'], message, hint: `write one whole number for each host of \`${target}\`, ${last}` }];
}
