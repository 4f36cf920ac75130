/** The kinds of node by name, and the schema of one node: made from `kinds.ts`. */
import { z } from 'zod';
import type { NodeKind } from './kind.js';
import * as all from './kinds.js';

type SomeKind = (typeof all)[keyof typeof all];

/** What `kind:` in a scenario may say. */
export type KindName = SomeKind['kind'];

/** A node of a scenario, resolved: its kind and that kind's knobs. */
export type NodeSpec = {
  [Kind in KindName]: { kind: Kind } & z.output<Extract<SomeKind, { kind: Kind }>['knobs']>;
}[KindName];

/** Clients, what forwards, what terminates, and servers: as a chain is read. */
const LAYERS = ['client', 'L3', 'L7', 'server'];

const kinds = (Object.values(all) as unknown as NodeKind[]).toSorted(
  (a, b) => LAYERS.indexOf(a.layer) - LAYERS.indexOf(b.layer),
);

const byName = new Map(kinds.map((kind) => [kind.kind, kind]));

/** All kinds' names, from the clients to the servers, as a chain is read. */
export const KIND_NAMES = [...byName.keys()] as KindName[];

/** The kind of that name; there is one for every `KindName`. */
export function kindOf(name: KindName): NodeKind {
  return byName.get(name)!;
}

const schemas = kinds.map(({ kind, knobs }) => knobs.extend({ kind: z.literal(kind) }));

/** The schema of one node: the kinds' knobs, told apart by `kind`. */
export const nodeSchema = z.discriminatedUnion(
  'kind',
  schemas as unknown as [z.ZodObject],
) as unknown as z.ZodType<NodeSpec>;
