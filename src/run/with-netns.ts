/** A run on the netns driver: the outer half starts this program again inside its own namespaces, the inner half runs there. */
import type { ExitCode } from '../errors.js';
import type { Scenario } from '../scenario/scenario.js';
import { netnsDriver } from '../testbed/netns/driver.js';
import { enterIsolated } from '../testbed/netns/enter.js';
import { type PrintOptions, runAndPrint } from './run-and-print.js';

/** The inner half. `driverReason` comes from the outer one. */
export function runInNamespaces(scenario: Scenario, options: PrintOptions): Promise<ExitCode> {
  const interrupt = new AbortController();
  enterIsolated(() => interrupt.abort());
  return runAndPrint(scenario, { ...options, driver: netnsDriver, interrupt: interrupt.signal });
}
