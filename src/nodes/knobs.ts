/** The knobs that several kinds of node share, each defined once so that a shared concept keeps one name and one meaning. */
import { z } from 'zod';
import { duration, portRange, share } from '../scenario/units.js';

/** A whole number of at least `min`. */
export const count = (min: number, max = 1_000_000) =>
  z.int({ error: 'expected a whole number' }).min(min, `must be at least ${min}`).max(max, `must be at most ${max}`);

/** Knobs that every node takes. */
export const commonKnobs = {
  /** How many hosts of this node there are; more than one makes `name[0]`, `name[1]`, … */
  hosts: count(1, 64).default(1),
  /** The next hop's name; absent at the end of the chain. */
  to: z.string().optional(),
  /** Kernel settings of the node's own network namespace, `net.…` only. */
  sysctls: z
    .record(
      z.string().regex(/^net\.[a-z0-9_.-]+$/, {
        error: 'only net.* settings belong to a host of its own; e.g. net.ipv4.tcp_tw_reuse',
      }),
      z.union([z.number(), z.string()], { error: 'expected a number or text; write it like net.ipv4.tcp_tw_reuse: 1' }),
    )
    .default({}),
  /** The node's own source ports (`ip_local_port_range`; for `nat` the SNAT range). */
  ports: portRange.optional(),
  /** The link towards the next hop: one-way delay in ms, loss as a share of packets. */
  link: z.strictObject({ delay: duration.optional(), loss: share.optional() }).optional(),
  /** Limit of open file descriptors of each of the node's daemons (RLIMIT_NOFILE). */
  openFiles: count(16).optional(),
  /** An image of the user's own (docker driver). */
  image: z.string().min(1, 'expected the name of an image').optional(),
  /** The port that an image of the user's own listens on. */
  port: count(1, 65_535).optional(),
  /** How it is known that an image of the user's own is ready: `/path` (an HTTP answer), `log: text`, or `port`. */
  ready: z
    .string()
    .regex(/^(port|\/\S*|log: *\S.*)$/, { error: 'expected `port`, `/path`, or `"log: text"`' })
    .optional(),
  /** How long an image of the user's own may take to be ready, ms. */
  readyWithin: duration.optional(),
};

/** Backends' idle connections that a proxy keeps; 0 = a new connection for every request. */
export const keepalive = count(0).default(0);
/** How many source addresses a proxy uses towards its backends. */
export const sourceAddresses = count(1, 200).default(1);
/** How a proxy picks a backend. */
export const algorithm = z.enum(['round-robin', 'least-connections', 'random-two', 'hash']).default('round-robin');
/** How a proxy keeps a visitor with one backend. */
export const sticky = z.enum(['none', 'source', 'cookie']).default('none');
/** The listen backlog: how many finished handshakes wait for accept(). */
export const backlog = count(1, 65_535).optional();
/** A configuration file of the user's own, relative to the scenario file. */
export const config = z.string().optional();
/** Time that a server takes for an answer, ms. */
export const serviceTime = duration.default(0);
/** Who closes a connection after the answer when no keep-alive was asked for. */
export const close = z.enum(['server', 'client']).default('server');
