/** Work on the driver that was asked for or that works here: in this process, or in one inside namespaces of its own. */
import { ExitCode } from '../errors.js';
import { TERMINAL_AS_IT_WAS } from '../report/live/screen.js';
import { isLive } from '../report/progress.js';
import type { Scenario } from '../scenario/scenario.js';
import { chooseDriver } from '../testbed/choose-driver.js';
import type { Driver } from '../testbed/driver.js';
import { isIsolated, isolate } from '../testbed/netns/isolate.js';

/** Tells the inner process why the outer one chose the netns driver. */
const REASON = 'PORTPARTY_DRIVER_REASON';

/** What a verb works with once there is a driver. */
export interface WithDriver {
  /** Makes the driver; what it says of its progress goes to `onProgress`. */
  driver(onProgress: (line: string) => void): Driver;
  /** Why this driver was taken. */
  driverReason: string;
  /** Aborted when the user asks to end. */
  interrupt: AbortSignal;
}

/** A verb from there on; resolves to the exit code. */
export type DriverWork = (ready: WithDriver) => Promise<number>;

/**
 * Does the work and resolves to its exit code. On the netns driver this program starts again with the same arguments inside namespaces, comes
 * to this place once more, and works there; so the work is to be reached by the arguments alone.
 * Throws a PortPartyError (exit 2 or 3) where no driver can run the scenario.
 */
export async function runWithDriver(
  scenario: Pick<Scenario, 'variants'>,
  wanted: 'auto' | 'netns' | 'docker',
  quiet: boolean,
  work: DriverWork,
): Promise<number> {
  // Each driver's half of the program is loaded only where it runs.
  if (isIsolated()) {
    const { workInNamespaces } = await import('./with-netns.js');
    return workInNamespaces(work, process.env[REASON] ?? '');
  }
  const chosen = await chooseDriver(wanted, scenario);
  if (!quiet) process.stderr.write(`driver ${chosen.driver}: ${chosen.reason}\n`);
  if (chosen.driver === 'docker') {
    const { workInContainers } = await import('./with-docker.js');
    return workInContainers(work, chosen.reason);
  }
  const code = await isolate(process.argv.slice(1), { ...process.env, [REASON]: chosen.reason }, chosen.mode);
  // The inner process may have been killed, by a second Ctrl-C say, while it had the cursor hidden.
  const inOrder = code !== ExitCode.interrupted && code !== ExitCode.testbed;
  if (!inOrder && !quiet && isLive(process.stderr)) process.stderr.write(TERMINAL_AS_IT_WAS);
  return code;
}
