/** What is wrong with an attacker's aim: nobody there, or nobody who could be attacked. */
import { chainFrom, layerOf, sendsVisitors, type Topology } from '../topology/chain.js';
import { aKind } from './a-kind.js';
import type { Problem } from './problem.js';
import { didYouMean } from './schema-problems.js';

/** The problems of a node that is an attacker; none of any other. */
export function attackerProblems(topology: Topology, name: string): Problem[] {
  const spec = topology[name];
  if (spec.kind !== 'attacker' || spec.target === undefined) return [];
  const { target } = spec;
  const place: Pick<Problem, 'path' | 'at'> = { path: ['topology', name, 'target'], at: 'value' };
  const listening = Object.keys(topology).filter((node) => ['L7', 'server'].includes(layerOf(topology[node])));
  const hint = `nodes that can be attacked: ${listening.join(', ')}`;
  if (!Object.hasOwn(topology, target))
    return [{ message: `there is no node \`${target}\``, hint: didYouMean(target, listening) ?? hint, ...place }];
  if (!listening.includes(target))
    return [{ message: `\`${target}\` is ${aKind(topology[target].kind)}: nothing listens there`, hint, ...place }];
  const reached = Object.keys(topology).filter(
    (node) => sendsVisitors(topology[node]) || topology[node].kind === 'attacker',
  );
  if (reached.some((node) => chainFrom(topology, node).includes(target))) return [];
  return [{ message: `no client's chain leads to \`${target}\`, so it is not built`, hint, ...place }];
}
