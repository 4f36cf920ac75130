/** Where the nodes of a chain stand in its picture: in columns, each node right of all that lead to it. */
import type { ChainRecord } from '../../record/chain-record.js';

/** Names of nodes, column by column, the clients first. */
export function columnsOf({ nodes }: Pick<ChainRecord, 'nodes'>): string[][] {
  const names = Object.keys(nodes);
  const next = (name: string) => names.filter((other) => other === nodes[name].to);
  const column = new Map(names.map((name) => [name, 0]));
  // A chain has no loops; with one, this ends all the same.
  for (let round = 0; round < names.length; round++) {
    for (const name of names)
      for (const to of next(name)) column.set(to, Math.max(column.get(to)!, column.get(name)! + 1));
  }
  // Whoever leads to a node far along stands just before it, so that no link passes another node.
  for (let round = 0; round < names.length; round++) {
    for (const name of names)
      for (const to of next(name))
        if (!names.some((other) => nodes[other].to === name)) column.set(name, column.get(to)! - 1);
  }
  const columns: string[][] = [];
  for (const [name, at] of column) {
    while (columns.length <= at) columns.push([]);
    columns[at].push(name);
  }
  return columns.filter((names) => names.length > 0);
}
