/**
 * Waits until the links carry packets. The kernel brings a cable's ends and a bridge's ports into service in the
 * background after the commands that set them up have returned (net/core/link_watch.c), and drops what is sent before.
 */
import { networkInterfaces } from 'node:os';
import { testbedError } from '../../errors.js';
import { inNamespace } from '../../sys/namespace.js';
import type { Plan } from '../../topology/plan.js';
import { execIn } from '../exec.js';

/** A link that is not up by then never will be, ms; it takes some 5. */
const PATIENCE_MS = 5000;

/** Resolves when every interface of every host runs and every port of the fabric forwards. Throws a PortPartyError (exit 3). */
export async function linksReady(plan: Plan, namespaceOf: (host?: string) => string, ports: number): Promise<void> {
  for (const host of plan.hosts)
    await until(host.name, () => {
      // Node leaves out what is not up or has no carrier.
      const running = inNamespace(namespaceOf(host.name), networkInterfaces);
      return host.interfaces.every(({ name }) => running[name] !== undefined);
    });
  if (ports > 0)
    await until('fabric', async () => {
      const { stdout } = await execIn(namespaceOf(), 'fabric', ['ip', '-details', 'link', 'show']);
      return (stdout.match(/bridge_slave state forwarding/g) ?? []).length === ports;
    });
}

async function until(where: string, ready: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!(await ready())) {
    if (performance.now() > deadline) throw testbedError('the links of this host did not come up', where);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
