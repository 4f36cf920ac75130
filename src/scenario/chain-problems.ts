/** What is wrong with a chain whose nodes are each right: dangling hops, loops, ends that serve nobody, knobs without a driver. */

import { portBlocks } from '../nodes/nat.js';
import { kindOf } from '../nodes/registry.js';
import { chainFrom, layerOf, sendersThrough, sendsVisitors, type Topology } from '../topology/chain.js';
import { addressesBehind } from '../topology/make-plan.js';
import { aKind } from './a-kind.js';
import { attackerProblems } from './attacker-problems.js';
import { firewallProblems } from './firewall-problems.js';
import { forwardProxyProblems } from './forward-proxy-problems.js';
import type { Problem } from './problem.js';
import { didYouMean } from './schema-problems.js';
import { meansStore, storeProblems } from './store-problems.js';
import { weightCountProblems } from './weight-problems.js';

/** What is wrong with a topology; empty when nothing is. */
export function chainProblems(topology: Topology): Problem[] {
  const names = Object.keys(topology);
  if (!names.some((name) => sendsVisitors(topology[name]))) {
    const hint = 'add one: `buyers: { kind: client, to: … }`';
    return [{ message: 'there is no client node, so nobody would connect', hint, path: ['topology'], at: 'key' }];
  }
  return [
    ...names.flatMap((name) => nextHopProblems(topology, name)),
    ...loopProblems(topology),
    ...names.flatMap((name) => knobProblems(topology, name)),
    ...names.flatMap((name) => forwardProxyProblems(topology, name)),
    ...names.flatMap((name) => firewallProblems(topology, name)),
    ...names.flatMap((name) => storeProblems(topology, name)),
    ...names.flatMap((name) => attackerProblems(topology, name)),
  ];
}

function nextHopProblems(topology: Topology, name: string): Problem[] {
  const { to, kind } = topology[name];
  if (to === undefined) return [];
  const path = ['topology', name, 'to'];
  if (layerOf(topology[name]) === 'server' && !meansStore(topology, name)) {
    const hint = 'leave out `to`';
    return [{ message: `\`${name}\` is a ${kind}, the end of its chain; it has no next hop`, hint, path, at: 'key' }];
  }
  if (!Object.hasOwn(topology, to)) {
    const others = Object.keys(topology).filter((other) => other !== name);
    const hint = didYouMean(to, others) ?? `nodes are: ${others.join(', ')}`;
    return [{ message: `there is no node \`${to}\``, hint, path, at: 'value' }];
  }
  if (layerOf(topology[to]) === 'client') {
    const hint = 'lead to a gateway, a proxy or a server';
    return [{ message: `\`${to}\` is ${aKind(topology[to].kind)}: it takes no connections`, hint, path, at: 'value' }];
  }
  return [];
}

/** One problem per loop, at its first node in the file. */
function loopProblems(topology: Topology): Problem[] {
  const told = new Set<string>();
  return Object.keys(topology).flatMap((name): Problem[] => {
    const chain = chainFrom(topology, name);
    if (topology[chain.at(-1)!].to !== name || told.has(name)) return [];
    for (const node of chain) told.add(node);
    const way = [...chain, name].join(' → ');
    return [
      {
        message: `the chain runs in a loop: ${way}`,
        hint: 'let one of them lead to a server',
        path: ['topology', name, 'to'],
        at: 'value',
      },
    ];
  });
}

function knobProblems(topology: Topology, name: string): Problem[] {
  const spec = topology[name];
  const problems: Problem[] = [];
  if (spec.kind === 'nat' && spec.masquerade && spec.addresses > 1) {
    problems.push({
      message: `masquerade uses the one address of the outgoing interface, so \`addresses: ${spec.addresses}\` would do nothing`,
      hint: 'leave out `masquerade` or `addresses`',
      path: ['topology', name, 'addresses'],
      at: 'value',
    });
  }
  problems.push(...portBlockProblems(topology, name));
  const refused = [...(kindOf(spec.kind).refuse?.(spec) ?? []), ...weightCountProblems(topology, name)];
  problems.push(
    ...refused.map(({ path, ...said }): Problem => ({ ...said, path: ['topology', name, ...path], at: 'value' })),
  );
  return problems;
}

/** Blocks of ports must go around: a sender without one could not be translated at all. */
function portBlockProblems(topology: Topology, name: string): Problem[] {
  const spec = topology[name];
  if (spec.kind !== 'nat' || spec.portsPerSource === undefined) return [];
  const senders = sendersThrough(topology, name)
    .map((sender) => topology[sender])
    .reduce((sum, sender) => sum + sender.hosts * addressesBehind(sender), 0);
  const blocks = portBlocks(spec);
  if (senders <= blocks) return [];
  return [
    {
      message: `\`${name}\` has ${blocks} blocks of ${spec.portsPerSource} ports, and ${senders} addresses send through it`,
      hint: 'make the blocks smaller, or `ports` or `addresses` more',
      path: ['topology', name, 'portsPerSource'],
      at: 'value',
    },
  ];
}
