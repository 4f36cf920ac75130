/** Work on the netns driver: the outer half starts this program again inside its own namespaces, the inner half works there. */
import { netnsDriver } from '../testbed/netns/driver.js';
import { enterIsolated } from '../testbed/netns/enter.js';
import type { DriverWork } from './run-with-driver.js';

/** The inner half. `driverReason` comes from the outer one. */
export function workInNamespaces(work: DriverWork, driverReason: string): Promise<number> {
  const interrupt = new AbortController();
  enterIsolated(() => interrupt.abort());
  return work({ driver: netnsDriver, driverReason, interrupt: interrupt.signal });
}
