/** Where the connections of a node go: its own targets, or, of a gateway, those of whoever connects through it. */
import type { ChainRecord } from '../record/chain-record.js';
import type { Endpoint } from '../topology/plan.js';

/** A node's name without the number of its host: `shop[1]` is one of `shop`. */
export const nodeOf = (host: string) => host.replace(/\[\d+\]$/, '');

/** The endpoints; none where the chain does not tell. */
export function destinationsOf(chain: ChainRecord | undefined, at: string): Endpoint[] {
  if (chain === undefined) return [];
  const own = chain.nodes[at]?.targets;
  if (own !== undefined) return own;
  const through = Object.keys(chain.nodes).find(
    (name) => chain.nodes[name].targets !== undefined && passes(chain, name, at),
  );
  return through === undefined ? [] : (chain.nodes[through].targets ?? []);
}

/** Whether connections from this node cross that gateway before they end. */
function passes({ nodes }: ChainRecord, from: string, gateway: string): boolean {
  let name = nodes[from].to;
  while (name !== undefined && nodes[name]?.layer === 'L3') {
    if (name === gateway) return true;
    name = nodes[name].to;
  }
  return false;
}
