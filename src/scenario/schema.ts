/** The grammar of a scenario file: the one source of its checks and of the JSON Schema for editors. */
import { z } from 'zod';
import { count } from '../nodes/knobs.js';
import { nodeSchema } from '../nodes/registry.js';
import type { ArrivalPhase, Traffic } from './scenario.js';
import { duration, rateRamp } from './units.js';

const text = z.string({ error: 'expected text' });

/** What a scenario's name looks like: it becomes part of folder names. */
export const SCENARIO_NAME = /^[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** A node's name: part of host names, log folders and gates. */
const nodeName = z.string().regex(/^[a-z][a-z0-9-]*$/, {
  error: (issue) => `"${String(issue.input)}" can't be a node's name; use lower-case letters, digits and dashes`,
});

/** A variant's name: part of file names in the record. It starts with a letter, as numbers would lose their order. */
const variantName = z.string().regex(/^[A-Za-z][A-Za-z0-9._-]{0,63}$/, {
  error: (issue) =>
    `"${String(issue.input)}" can't be a variant's name; use letters, digits, dashes, a letter first, at most 64`,
});

/** One phase of arrivals: open loop (`rate`) or closed loop (`connections`). */
const phase = z
  .strictObject({
    for: duration.describe('How long the phase lasts.'),
    rate: rateRamp.optional().describe('Visitors per second: constant, or a ramp. Open loop.'),
    connections: count(1, 100_000).optional().describe('That many connections, as fast as they can. Closed loop.'),
  })
  .meta({ oneOf: [{ required: ['rate'] }, { required: ['connections'] }] });

const CONNECTIONS = 'write per-request, per-visitor, or "pooled: 20" in quotes';
const pooled = z.strictObject({ pooled: count(1, 100_000) });

/** Who sends what, when. */
export const trafficSchema = z.strictObject({
  from: z
    .union([z.string(), z.array(z.string()).min(1)], {
      error: "expected a client node's name, or a list of names; write it like from: buyers",
    })
    .optional()
    .describe('The client nodes that visitors come from; absent: all of them.'),
  journey: z
    .enum(['buy-ticket', 'view-event', 'hold'])
    .default('view-event')
    .describe('What a visitor does: three requests, one request, or one request on a connection kept for holdFor.'),
  thinkTime: duration.default(1000).describe("Time between a visitor's requests."),
  holdFor: duration.optional().describe('How long a connection of the journey `hold` stays open.'),
  connections: z
    .union(
      [
        z.string().regex(/^(per-request|per-visitor|pooled:\s*[1-9]\d{0,4})$/, `not a way to connect; ${CONNECTIONS}`),
        pooled,
      ],
      {
        error: `not a way to connect; ${CONNECTIONS}`,
      },
    )
    .default('per-request')
    .describe('Close after the response, one connection per visitor, or N shared by each client host.'),
  close: z
    .enum(['client', 'server', 'reset'])
    .default('client')
    .describe('Who closes a connection first, and so keeps the TIME_WAIT; `reset` leaves none.'),
  arrivals: z
    .array(phase, { error: 'expected a list of phases; write it like [{ for: 4s, rate: 600/s }]' })
    .min(1, 'there is no phase; write it like [{ for: 4s, rate: 600/s }]')
    .describe('Phases in order.'),
  process: z.enum(['poisson', 'uniform']).default('poisson').describe('How arrivals spread within a phase; seeded.'),
  timeout: z
    .strictObject({
      connect: duration.default(3000).describe('Until the connection stands.'),
      response: duration.default(5000).describe('From the request sent until the response is whole.'),
    })
    .prefault({}),
  retry: z
    .strictObject({
      attempts: count(0, 100).default(0).describe('Further tries after the first one.'),
      backoff: duration.default(500).describe('Wait before each further try.'),
    })
    .prefault({}),
  maxLateness: duration.default(10).describe("Limit of the generator's own lateness (p99); above it a run is invalid."),
});

/** Which hosts an event is about: a node's, or one of them. */
const eventHost = z
  .string({ error: 'expected a host; write it like shop or "shop[1]"' })
  .regex(/^[a-z][a-z0-9-]*(\[\d+\])?$/, {
    error: (issue) => `"${String(issue.input)}" can't be a host; write it like shop or "shop[1]"`,
  });

/** The keys that say what an event does; each event has one of them. */
export const EVENT_ACTIONS = ['kill', 'restart', 'pause', 'resume', 'reload', 'slow', 'set'] as const;

/** Faults and changes while it runs. */
const event = z
  .strictObject(
    {
      at: duration.describe('When, counted from the start of the traffic.'),
      kill: eventHost.optional().describe('Ends its processes at once (SIGKILL); switches a gateway off.'),
      restart: eventHost
        .optional()
        .describe('Ends what still runs of it and starts it again; switches a gateway on again.'),
      pause: eventHost.optional().describe('Stops its processes (SIGSTOP).'),
      resume: eventHost.optional().describe('Lets its processes go on (SIGCONT).'),
      reload: eventHost.optional().describe('Has a proxy load its configuration again.'),
      slow: z
        .strictObject(
          { node: eventHost, serviceTime: duration },
          { error: 'expected whom and how slow; write it like { node: "shop[1]", serviceTime: 500ms }' },
        )
        .optional()
        .describe('Changes the service time of a server.'),
      set: z
        .record(z.string(), z.unknown(), {
          error: 'expected changes; write it like { balancer.algorithm: least-connections }',
        })
        .optional()
        .describe(
          'Changes knobs, kernel settings (`edge.sysctls.net…`), or forgets connections (`edge.conntrack: flush`).',
        ),
    },
    { error: 'expected an event; write it like { at: 5s, kill: "shop[1]" }' },
  )
  .meta({ oneOf: EVENT_ACTIONS.map((action) => ({ required: [action] })) });

const events = z
  .array(event, { error: 'expected a list of events; write it like [{ at: 5s, kill: "shop[1]" }]' })
  .optional();

/** An event as the file has it. */
export type WrittenEvent = z.output<typeof event>;

/** What a variant may change: its resolved value has this form. */
export const bodySchema = z.strictObject({
  topology: z.record(nodeName, nodeSchema, { error: 'expected nodes by name' }).describe('Nodes by name.'),
  traffic: trafficSchema,
  events: events.describe('Faults and changes while it runs, each at a time.'),
});

/** A merge patch before it is applied: only its outermost keys can be checked. */
const patchSchema = z
  .strictObject(
    { topology: z.looseObject({}).optional(), traffic: z.looseObject({}).optional(), events: z.unknown().optional() },
    {
      error: (issue) => (issue.code === 'invalid_type' ? 'expected a merge patch; write {} for no change' : undefined),
    },
  )
  .nullable();

/** What is the same for all variants. */
export const headSchema = z.strictObject({
  name: z
    .string({ error: 'expected text' })
    .regex(SCENARIO_NAME, {
      error: (issue) =>
        `"${String(issue.input)}" can't be a scenario's name; use letters, digits and dashes, at most 64`,
    })
    .describe("The scenario's name: part of its runs' folder names."),
  description: text.default('').describe('One or two sentences.'),
  variants: z
    .record(variantName, patchSchema, { error: 'expected merge patches by name' })
    .nullish()
    .describe('Merge patches (RFC 7396) on topology, traffic and events, by name; null removes a key.'),
  matrix: z
    .record(z.string(), z.unknown(), { error: 'expected settings with lists of values' })
    .optional()
    .describe(
      'Settings with their values, { topology.edge.ports: [20000-20499, 1024-65535] }: every combination is a variant, beside those with names.',
    ),
  trials: count(1, 1000).default(1).describe('How often each variant runs.'),
  seed: count(0, Number.MAX_SAFE_INTEGER).default(1).describe('Same seed, same arrivals.'),
  gates: z
    .array(
      z.union(
        [
          z.string(),
          z.strictObject({
            gate: text,
            variants: z
              .array(z.string(), { error: "expected a list of variants' names; write it like [tuned]" })
              .min(1)
              .optional(),
          }),
        ],
        { error: 'expected a gate; write it like "dropped == 0", or { gate: dropped == 0, variants: [tuned] }' },
      ),
      { error: 'expected a list of gates' },
    )
    .default([])
    .describe('What must hold for the run to pass.'),
});

/** The whole file. */
export const fileSchema = z.strictObject({ ...headSchema.shape, ...bodySchema.shape });

/** A checked body: one variant's topology and traffic. */
export type Body = z.output<typeof bodySchema>;

/** The `traffic` of a file as the rest of the program knows it; `from` is every client where the file names none. */
export function toTraffic(written: Body['traffic'], clients: string[]): Traffic {
  return {
    from: [written.from ?? clients].flat(),
    journey: written.journey,
    thinkTimeMs: written.thinkTime,
    holdForMs: written.holdFor ?? 0,
    connections: toConnections(written.connections),
    close: written.close,
    arrivals: written.arrivals.map(
      ({ for: forMs, rate, connections }): ArrivalPhase =>
        rate === undefined ? { forMs, connections: connections! } : { forMs, rate },
    ),
    process: written.process,
    timeout: { connectMs: written.timeout.connect, responseMs: written.timeout.response },
    retry: { attempts: written.retry.attempts, backoffMs: written.retry.backoff },
    maxLatenessMs: written.maxLateness,
  };
}

function toConnections(written: Body['traffic']['connections']): Traffic['connections'] {
  if (typeof written !== 'string') return { mode: 'pooled', size: written.pooled };
  if (written === 'per-request' || written === 'per-visitor') return { mode: written };
  return { mode: 'pooled', size: Number(written.split(':')[1]) };
}
