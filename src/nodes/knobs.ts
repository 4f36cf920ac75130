/** The knobs that several kinds of node share, each defined once so that a shared concept keeps one name and one meaning. */
import { z } from 'zod';
import { duration, portRange, rate, share } from '../scenario/units.js';
import type { KnobProblem } from './kind.js';

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

/*
 * Knobs of proxies. A kind takes those that its product can do; where a knob is left out and has no default here, the
 * product's own default holds. What a product cannot do is refused by name (`lacks` and `refuse` of its kind).
 */

/** Idle connections to the backends that a proxy keeps for later requests; 0: a new connection for every request. */
export const keepalive = count(0).default(0);
/** The same for products that keep all idle connections for some time and cannot be told how many. */
export const uncountedKeepalive = z
  .union([z.literal(0), z.literal('unlimited')], {
    error: 'this product keeps all of its idle connections or none; write unlimited or 0',
  })
  .default(0);
/** How many source addresses a proxy uses towards its backends, each with the node's whole port range. */
export const sourceAddresses = count(1, 200).default(1);
/**
 * How a proxy picks a backend: in turn; the one with the fewest connections; the less loaded of two picked at random; by a
 * hash of the client's address (consistent where the product can: a backend that goes moves only its own clients).
 */
export const algorithm = z.enum(['round-robin', 'least-connections', 'random-two', 'hash']).default('round-robin');
/**
 * How a proxy keeps a visitor with one backend: by client address, by a cookie that the proxy sets, or by client address on
 * a ring of backends (consistent hash).
 */
export const sticky = z.enum(['none', 'source', 'cookie', 'consistent-hash']).default('none');
/** The largest weight that every product takes: HAProxy's own limit. */
const LARGEST_WEIGHT = 256;
/** How many requests each backend gets for those that the others get: one whole number per backend, in order; 0: no new ones. */
export const weights = z
  .array(count(0, LARGEST_WEIGHT), {
    error: 'expected a list with one whole number for each backend; write it like [3, 1]',
  })
  .optional();

/** What is said of an algorithm that has no say beside this stickiness. */
export const stickyDecides = ({ sticky, algorithm }: { sticky: string; algorithm: string }): KnobProblem => ({
  path: ['algorithm'],
  message: `\`sticky: ${sticky}\` picks the backend itself, so \`algorithm: ${algorithm}\` would have no effect`,
  hint: 'leave out one of the two',
});

/** How to write a span of time, ms, for a product that counts from one second on in whole ones; undefined where it is one already, or is not given. */
export function wholeSeconds(ms: number | undefined): string | undefined {
  if (ms === undefined || (ms > 0 && ms % 1000 === 0)) return undefined;
  return `write ${Math.max(1, Math.ceil(ms / 1000))}s`;
}

/** Weights that leave nobody to serve, or that stand beside a configuration which shares out the requests itself. */
export function weightProblems(spec: { weights?: number[]; config?: string }): KnobProblem[] {
  if (spec.weights === undefined) return [];
  const problems: KnobProblem[] = [];
  if (spec.weights.length > 0 && spec.weights.every((weight) => weight === 0))
    problems.push({
      path: ['weights'],
      message: 'no backend would get any request',
      hint: 'give one of them a weight of at least 1',
    });
  if (spec.config !== undefined)
    problems.push({
      path: ['weights'],
      message: `${spec.config} shares out the requests itself, so \`weights\` would have no effect`,
      hint: 'leave out one of the two',
    });
  return problems;
}

/** Client connections that a proxy serves at a time, all of its workers together. */
export const maxConnections = count(1).optional();
/** Connections (or requests, where the product counts those) that a proxy has to one backend at a time; further ones wait or are refused. */
export const backendConnections = count(1).optional();
/** How long a request may wait for a free backend connection, ms. */
export const queueTimeout = duration.optional();
/** How many requests may wait for a free backend connection, all backends together; further ones are refused at once. */
export const queueLength = count(1).optional();
/** Further tries of a proxy after a first one that found no connection; 0: none. */
export const retries = count(0, 100).optional();
/** Whether a further try may go to another backend than the one that was picked first. */
export const redispatch = z.boolean({ error: 'expected true or false' }).optional();

/** A proxy's own probing of its backends. */
export interface HealthCheck {
  /** Between two checks of a backend, ms. */
  interval: number;
  /** Failed checks in a row after which a backend is DOWN. */
  fall: number;
  /** Good checks in a row after which it is UP again. */
  rise: number;
}

const checkSettings = z.strictObject({
  interval: duration.default(2000),
  fall: count(1, 1000).default(3),
  rise: count(1, 1000).default(2),
});

/** Active health checks; `true`: every 2 s, down after 3 failures, up after 2 successes. Yields undefined for none. */
export const healthCheck = z
  .union([z.boolean(), checkSettings], {
    error: 'expected true, false, or settings; write it like { interval: 2s, fall: 3, rise: 2 }',
  })
  .default(false)
  .transform((written): HealthCheck | undefined =>
    typeof written === 'boolean' ? (written ? checkSettings.parse({}) : undefined) : written,
  );

/** Failed requests in a row after which a proxy holds a backend down without any check; 0: never. */
export const maxFails = count(0).optional();
/** How long such a backend is held down, ms. */
export const failTimeout = duration.optional();
/** How long a proxy waits for a backend's handshake, ms. */
export const connectTimeout = duration.optional();
/** How long a proxy waits for a backend's answer, or for the next part of it, ms. */
export const responseTimeout = duration.optional();
/** Requests that one client address may make: `rate` in the long run, and `burst` beyond it at once; the others are answered 429. */
export const rateLimit = z
  .strictObject(
    {
      rate: rate.refine((perSecond) => perSecond > 0, 'this rate would refuse everything; write it like 100/s'),
      burst: count(0).default(0),
    },
    { error: 'expected a limit; write it like { rate: 100/s, burst: 20 }' },
  )
  .optional();

/** Answers of these paths (prefixes) are kept for `ttl` ms; `coalesce`: while the first request of a page is under way, others for it wait. */
export const cache = z
  .strictObject(
    {
      ttl: duration,
      paths: z
        .array(z.string().regex(/^\/[^\s"';{}$\\]*$/, { error: 'expected a path; write it like /event' }))
        .min(1, 'there is no path; leave it out to cache all')
        .default(['/']),
      coalesce: z.boolean({ error: 'expected true or false' }).default(true),
    },
    { error: 'expected what to cache; write it like { ttl: 2s, paths: [/event] }' },
  )
  .optional();
/** Worker processes or threads of a proxy. */
export const workers = count(1, 64).default(1);
/** The listen backlog: how many finished handshakes wait for accept(). */
export const backlog = count(1, 65_535).optional();
/** A configuration file of the user's own, relative to the scenario file. */
export const config = z.string().optional();
/** Time that a server takes for an answer, ms; a list has one for each host of the node, so that one of them can be slow. */
export const serviceTime = z
  .union([duration, z.array(duration)], {
    error: ({ input }) =>
      typeof input === 'number'
        ? `${input} has no unit; write a span of time like 40ms`
        : 'expected a span of time, or a list with one for each host; write it like 40ms or [40ms, 400ms]',
  })
  .default(0);

/** The service time of the node's host of that index, ms. */
export function serviceTimeOf(spec: { serviceTime: z.output<typeof serviceTime> }, index: number): number {
  return typeof spec.serviceTime === 'number' ? spec.serviceTime : spec.serviceTime[index];
}

/** A list of service times that does not have one for each host. */
export function serviceTimeProblems(spec: { serviceTime: z.output<typeof serviceTime>; hosts: number }): KnobProblem[] {
  if (typeof spec.serviceTime === 'number' || spec.serviceTime.length === spec.hosts) return [];
  const message = `${spec.serviceTime.length} service times for ${spec.hosts} ${spec.hosts === 1 ? 'host' : 'hosts'}`;
  return [{ path: ['serviceTime'], message, hint: 'write one for each host, or a single one for all' }];
}
/** Who closes a connection after the answer when no keep-alive was asked for. */
export const close = z.enum(['server', 'client']).default('server');
/** Time-outs of a gateway's connection table, ms (written in whole seconds). */
export const connectionTimeouts = z
  .strictObject({
    established: duration.optional(),
    timeWait: duration.optional(),
    finWait: duration.optional(),
    closeWait: duration.optional(),
    synSent: duration.optional(),
  })
  .default({});
/** Whether a gateway takes up connections in mid-stream (`nf_conntrack_tcp_loose`); the kernel's default is true. */
export const looseTracking = z.boolean().optional();
