/** `fixed`: a bare server that answers at once or after `serviceTime`, without sessions: for capacity work. */
import { z } from 'zod';
import type { FixedOptions } from '../servers/fixed.js';
import { defineKind } from './kind.js';
import { backlog, close, commonKnobs, count, serviceTime, serviceTimeOf, serviceTimeProblems } from './knobs.js';
import { readRequestLog } from './read-request-log.js';
import { CONTROL_FILE, DEFAULT_BACKLOG, listenOf, REQUEST_LOG, startServers } from './server-daemon.js';

/** How long an idle connection is kept, ms. */
const KEEPALIVE_TIMEOUT_MS = 75_000;

/** The kind `fixed`: one process of this package (`servers/fixed.ts`) per host. */
export const fixed = defineKind({
  kind: 'fixed',
  layer: 'server',
  summary: 'A bare HTTP server: answers at once or after serviceTime.',
  commands: {},
  image: 'fixed',
  defaultBacklog: DEFAULT_BACKLOG,
  live: ['serviceTime', 'status'],
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
  refuse: serviceTimeProblems,
  async start({ host, planned, spec, listen }) {
    const { address, port } = listenOf(host, listen);
    const options: FixedOptions = {
      address,
      port,
      backlog: spec.backlog ?? DEFAULT_BACKLOG,
      reusePort: false,
      serviceTimeMs: serviceTimeOf(spec, planned.index),
      close: spec.close,
      keepaliveTimeoutMs: KEEPALIVE_TIMEOUT_MS,
      workers: spec.workers,
      status: spec.status,
      log: `${host.logDir}/${REQUEST_LOG}`,
      control: `${host.logDir}/${CONTROL_FILE}`,
    };
    return startServers(host, [{ program: 'fixed', options, label: 'fixed', openFiles: spec.openFiles }]);
  },
  readLogs: readRequestLog,
});
