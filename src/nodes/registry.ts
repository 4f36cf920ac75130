/** All kinds of node: one line each. */
import { z } from 'zod';
import { attacker } from './attacker.js';
import { client } from './client.js';
import { firewall } from './firewall.js';
import { fixed } from './fixed.js';
import { haproxy } from './haproxy.js';
import type { NodeKind } from './kind.js';
import { nat } from './nat.js';
import { nginx } from './nginx.js';
import { redis } from './redis.js';
import { squid } from './squid.js';
import { ticketShop } from './ticket-shop.js';
import { varnish } from './varnish.js';

const KINDS = {
  client,
  attacker,
  nat,
  firewall,
  nginx,
  haproxy,
  squid,
  varnish,
  'ticket-shop': ticketShop,
  fixed,
  redis,
};

export type KindName = keyof typeof KINDS;

/** A node of a scenario, resolved: its kind and that kind's knobs. */
export type NodeSpec = { [Kind in KindName]: { kind: Kind } & z.output<(typeof KINDS)[Kind]['knobs']> }[KindName];

export const KIND_NAMES = Object.keys(KINDS) as KindName[];

/** The kind by its name. */
export function kindOf(name: KindName): NodeKind {
  return KINDS[name] as unknown as NodeKind;
}

/** The schema of one node: the kinds' knobs, told apart by `kind`. */
export const nodeSchema = z.discriminatedUnion('kind', [
  client.knobs.extend({ kind: z.literal('client') }),
  attacker.knobs.extend({ kind: z.literal('attacker') }),
  nat.knobs.extend({ kind: z.literal('nat') }),
  firewall.knobs.extend({ kind: z.literal('firewall') }),
  nginx.knobs.extend({ kind: z.literal('nginx') }),
  haproxy.knobs.extend({ kind: z.literal('haproxy') }),
  squid.knobs.extend({ kind: z.literal('squid') }),
  varnish.knobs.extend({ kind: z.literal('varnish') }),
  ticketShop.knobs.extend({ kind: z.literal('ticket-shop') }),
  fixed.knobs.extend({ kind: z.literal('fixed') }),
  redis.knobs.extend({ kind: z.literal('redis') }),
]);
