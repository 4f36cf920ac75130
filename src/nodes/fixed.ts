/** `fixed`: a bare server that answers at once or after `serviceTime`, without sessions: for capacity work. */
import { z } from 'zod';
import { defineKind } from './kind.js';
import { backlog, close, commonKnobs, count, serviceTime } from './knobs.js';

export const fixed = defineKind({
  kind: 'fixed',
  layer: 'server',
  summary: 'A bare HTTP server: answers at once or after serviceTime.',
  commands: {},
  knobs: z.strictObject({
    ...commonKnobs,
    serviceTime,
    close,
    backlog,
    /** How many requests are served at the same time; absent: no limit. While all are busy nothing is accepted, so the accept queue fills. */
    workers: count(1).optional(),
    /** HTTP status of every answer. */
    status: count(200, 599).default(200),
  }),
});
