/** `ticket-shop`: the application behind the sale: event page, seat hold, checkout, a stock that is never oversold. */
import { z } from 'zod';
import { duration } from '../scenario/units.js';
import { defineKind } from './kind.js';
import { backlog, close, commonKnobs, count, serviceTime } from './knobs.js';

export const ticketShop = defineKind({
  kind: 'ticket-shop',
  layer: 'server',
  summary: 'The ticket sale: event page, seat hold, checkout; all hosts of the node sell from one stock.',
  commands: {},
  knobs: z.strictObject({
    ...commonKnobs,
    /** Stock of the sale, shared by all hosts of the node. */
    tickets: count(0).default(1000),
    serviceTime,
    /** How long a held seat stays reserved without a checkout, ms. */
    holdTime: duration.default(120_000),
    close,
    backlog,
    /** Server processes per host. */
    workers: count(1, 64).default(1),
    /** How long an idle connection is kept, ms. */
    keepaliveTimeout: duration.default(75_000),
  }),
});
