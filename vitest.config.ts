/**
 * `npm test` leaves out what takes minutes by itself and what needs a Docker daemon; `npm run test:all` does not. Files whose testbeds
 * nobody else can see run three at a time, for most of their time is waiting; those that only compute two at a time; all others one after
 * another, as they look at the whole machine (ports of loopback, processes, the daemon) or compare speeds.
 */
import { configDefaults, defineConfig } from 'vitest/config';

/**
 * Every ready scenario on every driver, whole trials through agents, thousands of requests over reloads, searches and tunings trial by
 * trial, tens of thousands of connections held.
 */
const LONG = [
  'test/e2e/capacity.test.ts',
  'test/e2e/tune.test.ts',
  'test/e2e/parity.test.ts',
  'test/agent/trial.test.ts',
  'test/e2e/haproxy-while-running.test.ts',
  'test/e2e/held-connections.test.ts',
  'test/e2e/last-port.test.ts',
];

/** Files whose testbeds lie in namespaces of their own: those of these folders that do not look at the daemon or at processes. */
const TOGETHER = ['test/e2e/!(docker-*|lifecycle|parity).test.ts', 'test/nodes/*.test.ts'];

/** Files that only compute: they see neither the machine nor each other. (A browser takes a core for itself.) */
const PURE = ['test/{analysis,ledger,report,scenario}/**/!(in-chromium).test.ts'];

const all = process.env.PORTPARTY_TEST_ALL === '1';
/** Three quarters of an hour are not thrown away for one test that fails once; `failures-at-once.ts` names it. */
const retry = all ? 1 : 0;
/** A whole search for capacity needs a machine that does nothing else: `npm run test:capacity`. */
const QUIET = process.env.PORTPARTY_TEST_CAPACITY === '1' ? [] : ['test/e2e/capacity-pool.test.ts'];
const exclude = [...configDefaults.exclude, ...QUIET, ...(all ? [] : LONG)];

export default defineConfig({
  test: {
    globalSetup: ['test/helpers/closing-lines.ts'],
    reporters: ['default', './test/helpers/failures-at-once.ts'],
    projects: [
      {
        test: {
          name: 'together',
          include: TOGETHER,
          exclude,
          // With a daemon each of them runs several testbeds at a time already.
          maxWorkers: all ? 1 : 3,
          sequence: { groupOrder: 1 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          retry,
        },
      },
      {
        test: {
          name: 'pure',
          include: PURE,
          exclude,
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
          retry,
        },
      },
      {
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: [...exclude, ...TOGETHER, ...PURE],
          fileParallelism: false,
          maxWorkers: 1,
          sequence: { groupOrder: 0 },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          retry,
        },
      },
    ],
  },
});
