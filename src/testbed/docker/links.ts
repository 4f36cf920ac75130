/** The links of a plan on networks that Docker made: interfaces get the plan's names, addresses, neighbours and routes. */
import type { Plan, PlannedHost } from '../../topology/plan.js';
import { hardwareAddress, neighbourLines } from '../link-lines.js';

/** Where Docker attached a host: the address that it gave the interface, by the plan's name of the interface. */
export type Attached = Record<string, string>;

/**
 * `ip -batch` for one host whose `interfaces` Docker made. They are found by address, as their order is not promised, and
 * taken down for the renaming: with that Docker's own routes are gone, its default route out of the testbed among them.
 */
export function linkLines(
  plan: Plan,
  host: PlannedHost,
  attached: Attached,
  interfaces: Map<string, string>,
): string[] {
  const lines: string[] = [];
  for (const nic of host.interfaces) {
    const given = attached[nic.name];
    const now = interfaces.get(given)!;
    lines.push(
      `link set ${now} down`,
      `link set ${now} name ${nic.name}`,
      `link set ${nic.name} address ${hardwareAddress(nic)}`,
    );
    if (given !== nic.addresses[0]) lines.push(`address flush dev ${nic.name}`);
    const missing = nic.addresses.filter((address) => address !== given);
    for (const address of missing) lines.push(`address add ${address}/${nic.prefixLength} dev ${nic.name}`);
    lines.push(`link set ${nic.name} up`, ...neighbourLines(plan, host, nic));
  }
  for (const route of host.routes) lines.push(`route add ${route.destination} via ${route.via}`);
  return lines;
}
