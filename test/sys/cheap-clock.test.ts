/** The cheap clock is the kernel's, also where the thread stood still while that was asked. */
import { expect, it, vi } from 'vitest';
import { cheapClock } from '../../src/sys/cheap-clock.js';
import { C } from '../../src/sys/libc.js';

const STOOD_STILL_MS = 5;
const standStill = () => {
  const until = performance.now() + STOOD_STILL_MS;
  while (performance.now() < until);
};
const asked = vi.hoisted(() => ({ times: 0 }));

vi.mock('../../src/sys/libc.js', async (original) => {
  const libc = await original<typeof import('../../src/sys/libc.js')>();
  return {
    ...libc,
    clockGettime(clock: number, pair: BigInt64Array) {
      const which = asked.times++;
      if (which === 1) standStill();
      const code = libc.clockGettime(clock, pair);
      if (which === 0) standStill();
      return code;
    },
  };
});

it('is neither behind nor ahead of CLOCK_MONOTONIC by a stand-still of its first askings', () => {
  const clock = cheapClock(C.CLOCK_MONOTONIC);
  const before = Number(process.hrtime.bigint()) / 1e6;
  const now = clock();
  const after = Number(process.hrtime.bigint()) / 1e6;
  const rounding = 0.001;
  expect(now).toBeGreaterThanOrEqual(before - rounding);
  expect(now).toBeLessThan(after + STOOD_STILL_MS / 2);
});
