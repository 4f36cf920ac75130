/** Runs the same scenario on every driver that can be had here, at the same time. */
import type { RunRecord } from '../../src/record/run-record.js';
import { record } from './portparty.js';
import { testbedWays, type Way } from './ways.js';

/** Each driver as this user, by each way into a container's network. */
export const drivers: Way[] = (await testbedWays()).filter(({ prefix, missing }) => prefix.length === 0 && !missing);

/** The records, by the way's name. Each comes from a process of its own. */
export async function recordEverywhere(
  text: string,
  args: string[] = [],
): Promise<Record<string, RunRecord & { folder: string }>> {
  const runs = drivers.map(async ({ name, driver, env }) => {
    const run = await record(text, ['--driver', driver, ...args], { env });
    return [name, run] as const;
  });
  return Object.fromEntries(await Promise.all(runs));
}
