/** The knobs of a ticket shop that say where its stock is kept, and how the shop reaches a store over the network. */
import { z } from 'zod';
import type { KnobProblem } from './kind.js';
import { connectTimeout, queueTimeout, responseTimeout } from './knobs.js';

const POOLED = /^pooled: *([1-9]\d{0,4})$/;

/** Knobs of the kind `ticket-shop`; those of a store over the network are refused where the stock is in memory. */
export const storeKnobs = {
  /** Where the stock and the sessions are: in a process of the shop's own, or in the Redis that `to` leads to. */
  inventory: z.enum(['memory', 'redis']).default('memory'),
  /**
   * Connections to the store: a new one for each request, which the shop closes after the answer, or so many that each worker keeps.
   * Yields the number of a pool.
   */
  pool: z
    .string({ error: 'expected per-request or "pooled: N"' })
    .refine((text) => text === 'per-request' || POOLED.test(text), {
      error: 'expected per-request or "pooled: N"; write it in quotes: "pooled: 20"',
    })
    .optional()
    .transform((text): number | 'per-request' | undefined => {
      const size = POOLED.exec(text ?? '')?.[1];
      if (size !== undefined) return Number(size);
      return text === undefined ? undefined : 'per-request';
    }),
  /** How long the store's handshake may take, ms. */
  connectTimeout,
  /** How long the store's answer may take, ms. */
  responseTimeout,
  /** How long a request may wait for a free connection of the pool, ms; absent: as long as it takes. */
  queueTimeout,
};

/** What they yield, with the two other knobs of a sale. */
export type StoreSpec = z.output<z.ZodObject<typeof storeKnobs>> & { tickets: number; holdTime: number };

/** Both time-outs of the store where the scenario names none, ms: those of Jedis (`Protocol.DEFAULT_TIMEOUT`). */
export const STORE_TIMEOUT_MS = 2000;

/** Knobs that would do nothing, and times of nothing. */
export function refuseStoreKnobs(spec: StoreSpec): KnobProblem[] {
  const { inventory, pool } = spec;
  const used = (['pool', 'connectTimeout', 'responseTimeout', 'queueTimeout'] as const).filter(
    (knob) => spec[knob] !== undefined,
  );
  if (inventory === 'memory')
    return used.map((knob) => ({
      path: [knob],
      message: `\`${knob}\` tells of a store over the network, and the stock is in the shop's own memory`,
      hint: `add \`inventory: redis\`, or leave out \`${knob}\``,
    }));
  const zero = used.filter((knob) => spec[knob] === 0);
  const problems = zero.map(
    (knob): KnobProblem => ({
      path: [knob],
      message: 'a time-out of no time would refuse everything',
      hint: 'write it like 2s',
    }),
  );
  if (typeof pool !== 'number' && spec.queueTimeout !== undefined)
    problems.push({
      path: ['queueTimeout'],
      message: 'with a connection for each request nobody waits for a free one',
      hint: 'add `pool: "pooled: 20"`, or leave out `queueTimeout`',
    });
  return problems;
}
