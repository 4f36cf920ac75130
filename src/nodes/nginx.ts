/** `nginx`: a reverse proxy; terminates connections and opens its own to the backends. */
import { z } from 'zod';
import { duration } from '../scenario/units.js';
import { defineKind } from './kind.js';
import { algorithm, backlog, commonKnobs, config, count, keepalive, sourceAddresses, sticky } from './knobs.js';

export const nginx = defineKind({
  kind: 'nginx',
  layer: 'L7',
  summary: 'NGINX as a reverse proxy and load balancer.',
  commands: { nginx: 'nginx-light' },
  version: { name: 'nginx', argv: ['nginx', '-v'] },
  knobs: z.strictObject({
    ...commonKnobs,
    to: z.string(),
    keepalive,
    sourceAddresses,
    /** Worker processes. */
    workers: count(1, 64).default(1),
    /** Connections per worker, clients' and backends' together. */
    workerConnections: count(4, 1_000_000).default(16_384),
    /** Failures after which a backend is held down (`max_fails`). */
    maxFails: count(0).default(1),
    /** How long a backend is held down (`fail_timeout`), ms. */
    failTimeout: duration.default(10_000),
    algorithm,
    sticky,
    backlog,
    config,
  }),
});
