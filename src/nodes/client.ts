/** `client`: hosts of buyers; the traffic engine opens its connections from them. */
import { z } from 'zod';
import { defineKind } from './kind.js';
import { commonKnobs } from './knobs.js';

/** The kind `client`: it starts nothing; the traffic engine enters its hosts, or their agents send. */
export const client = defineKind({
  kind: 'client',
  layer: 'client',
  summary: 'Hosts of visitors; connections are opened from them.',
  commands: {},
  image: 'client',
  knobs: z.strictObject({ ...commonKnobs, to: z.string() }),
});
