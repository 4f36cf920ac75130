/** `nat`: a gateway that shares one pool of source ports among all hosts behind it (SNAT by nftables). */
import { z } from 'zod';
import { duration } from '../scenario/units.js';
import { defineKind } from './kind.js';
import { commonKnobs, count } from './knobs.js';

export const nat = defineKind({
  kind: 'nat',
  layer: 'L3',
  summary: 'A NAT gateway: rewrites the source of every connection to its own address and a port of its pool.',
  commands: { nft: 'nftables' },
  knobs: z.strictObject({
    ...commonKnobs,
    to: z.string(),
    /** How many SNAT addresses it has, each with the whole port range. */
    addresses: count(1, 200).default(1),
    /** How the source port is chosen: the kernel's way (keep the client's port if it can), random, or fully random. */
    allocation: z.enum(['kernel', 'random', 'fully-random']).default('kernel'),
    /** Translate to the address of the outgoing interface instead of a fixed one. */
    masquerade: z.boolean().default(false),
    /** Time-outs of the connection table, ms (written in whole seconds). */
    timeouts: z
      .strictObject({
        established: duration.optional(),
        timeWait: duration.optional(),
        finWait: duration.optional(),
        closeWait: duration.optional(),
        synSent: duration.optional(),
      })
      .default({}),
    /** Take up connections in mid-stream (`nf_conntrack_tcp_loose`); the kernel's default is true. */
    looseTracking: z.boolean().optional(),
  }),
});
