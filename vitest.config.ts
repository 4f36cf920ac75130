/**
 * Tests run one file after another: real testbeds share two cores. `npm test` leaves out what takes minutes by itself and what
 * needs a Docker daemon; `npm run test:all` does not.
 */
import { configDefaults, defineConfig } from 'vitest/config';

/** Every ready scenario on every driver, whole trials through agents, and thousands of requests over reloads. */
const LONG = ['test/e2e/parity.test.ts', 'test/agent/trial.test.ts', 'test/e2e/haproxy-while-running.test.ts'];

const all = process.env.PORTPARTY_TEST_ALL === '1';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...(all ? [] : LONG)],
    globalSetup: ['test/helpers/closing-lines.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
