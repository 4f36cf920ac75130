/** A run with the driver that was asked for or that works here: in this process, or in one inside namespaces of its own. */
import type { Scenario } from '../scenario/scenario.js';
import { chooseDriver } from '../testbed/choose-driver.js';
import { isIsolated, isolate } from '../testbed/netns/isolate.js';
import type { PrintOptions } from './run-and-print.js';

/** Tells the inner process why the outer one chose the netns driver. */
const REASON = 'PORTPARTY_DRIVER_REASON';

/** Resolves to the exit code. Throws a PortPartyError (exit 2 or 3) where no driver can run the scenario. */
export async function runWithDriver(
  scenario: Scenario,
  wanted: 'auto' | 'netns' | 'docker',
  options: Omit<PrintOptions, 'driverReason'>,
): Promise<number> {
  // Each driver's half of the program is loaded only where it runs.
  if (isIsolated()) {
    const { runInNamespaces } = await import('./with-netns.js');
    return runInNamespaces(scenario, { ...options, driverReason: process.env[REASON] ?? '' });
  }
  const chosen = await chooseDriver(wanted, scenario);
  if (!options.quiet) process.stderr.write(`driver ${chosen.driver}: ${chosen.reason}\n`);
  if (chosen.driver === 'docker') {
    const { runInContainers } = await import('./with-docker.js');
    return runInContainers(scenario, { ...options, driverReason: chosen.reason });
  }
  return isolate(process.argv.slice(1), { ...process.env, [REASON]: chosen.reason }, chosen.mode);
}
