/** What is wrong with a firewall's rules and segments in their chain: names of nobody, and of nodes that it cannot tell apart. */
import { isCidr } from '../nodes/firewall/judgements.js';
import { chainFrom, layerOf, sendersThrough, type Topology } from '../topology/chain.js';
import { aKind } from './a-kind.js';
import type { KeyPath, Problem } from './problem.js';
import { didYouMean } from './schema-problems.js';

/** The problems of a node that is a firewall; none of any other. */
export function firewallProblems(topology: Topology, name: string): Problem[] {
  const spec = topology[name];
  if (spec.kind !== 'firewall') return [];
  const path: KeyPath = ['topology', name];
  const check = (who: string, side: 'from' | 'to', at: KeyPath, part: Problem['at']) => {
    const said = isCidr(who) ? undefined : partyProblem(topology, name, who, side);
    return said === undefined ? [] : [{ ...said, path: at, at: part }];
  };
  const ofRules = spec.rules.flatMap((rule, index) =>
    (['from', 'to'] as const).flatMap((side) =>
      (rule[side] ?? []).flatMap((who) => check(who, side, [...path, 'rules', index, side], 'value')),
    ),
  );
  const ofSegments = Object.entries(spec.segments ?? {}).flatMap(([from, targets]) => [
    ...check(from, 'from', [...path, 'segments', from], 'key'),
    ...targets.flatMap((to, index) => check(to, 'to', [...path, 'segments', from, index], 'value')),
  ]);
  return [...ofRules, ...ofSegments];
}

function partyProblem(
  topology: Topology,
  firewall: string,
  who: string,
  side: 'from' | 'to',
): Omit<Problem, 'path' | 'at'> | undefined {
  if (!Object.hasOwn(topology, who)) {
    const nodes = Object.keys(topology).filter((node) => node !== firewall);
    return { message: `there is no node \`${who}\``, hint: didYouMean(who, nodes) ?? `nodes are: ${nodes.join(', ')}` };
  }
  const layer = layerOf(topology[who]);
  if (side === 'to') {
    if (layer === 'L7' || layer === 'server') return undefined;
    return {
      message: `\`${who}\` is ${aKind(topology[who].kind)}: no connection goes to it`,
      hint: 'name a proxy or a server',
    };
  }
  if (layer === 'server' || topology[who].kind === 'firewall')
    return {
      message: `\`${who}\` is ${aKind(topology[who].kind)}: no connection comes from it`,
      hint: 'name a client, a proxy or a NAT gateway',
    };
  return hiddenProblem(topology, firewall, who);
}

/** Behind a NAT gateway or a proxy a node has no address of its own: a rule that names it would never match. */
function hiddenProblem(topology: Topology, firewall: string, who: string): Omit<Problem, 'path' | 'at'> | undefined {
  const senders = sendersThrough(topology, firewall);
  if (senders.includes(who)) return undefined;
  const way = chainFrom(topology, who);
  if (!way.includes(firewall))
    return { message: `what \`${who}\` sends never crosses \`${firewall}\``, hint: 'leave it out' };
  const hider = way.findLast((node) => senders.includes(node))!;
  return {
    message: `\`${firewall}\` never sees an address of \`${who}\`: what comes from it has the address of \`${hider}\`, a ${topology[hider].kind}`,
    hint: `name \`${hider}\``,
  };
}
