/** What is wrong with a store's place in a chain: a shop behind which there is none, and whoever would speak HTTP to one. */
import { layerOf, type Topology, targetNode } from '../topology/chain.js';
import type { Problem } from './problem.js';

/** Whether a server is meant to have a store behind it, by what it says itself or where it leads. */
export function meansStore(topology: Topology, name: string): boolean {
  const spec = topology[name];
  return spec.kind === 'ticket-shop' && (spec.inventory === 'redis' || targetKind(topology, name) === 'redis');
}

/** The problems of one node that leads to a store, or should. */
export function storeProblems(topology: Topology, name: string): Problem[] {
  const spec = topology[name];
  const target = targetNode(topology, name);
  const leadsToStore = targetKind(topology, name) === 'redis';
  const path = ['topology', name, 'to'];
  if (spec.kind === 'ticket-shop' && spec.inventory === 'redis') {
    const hint = 'let `to` lead to a node of `kind: redis`';
    if (spec.to === undefined)
      return [{ message: `no store is behind \`${name}\``, hint, path: ['topology', name, 'inventory'], at: 'value' }];
    if (leadsToStore || target === undefined) return [];
    return [{ message: `\`${target}\` is a ${topology[target].kind}, not a store`, hint, path, at: 'value' }];
  }
  if (!leadsToStore || layerOf(spec) === 'L3') return [];
  if (spec.kind === 'ticket-shop') {
    const message = `\`${name}\` keeps its stock in its own memory and would not ask \`${target}\``;
    return [{ message, hint: 'add `inventory: redis`', path, at: 'value' }];
  }
  const message = `\`${target}\` is a store, and \`${name}\` speaks HTTP`;
  return [{ message, hint: 'lead to a ticket-shop with `inventory: redis` before it', path, at: 'value' }];
}

function targetKind(topology: Topology, name: string): string | undefined {
  const target = targetNode(topology, name);
  return target === undefined ? undefined : topology[target].kind;
}
