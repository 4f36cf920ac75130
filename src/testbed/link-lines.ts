/** Lines for `ip -batch` that are the same on every driver. */
import type { Plan, PlannedHost, PlannedInterface } from '../topology/plan.js';

/** A hardware address made from the interface's own IPv4 address: unique in the testbed and known beforehand. */
export function hardwareAddress(nic: PlannedInterface): string {
  const bytes = nic.addresses[0].split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
  return `02:00:${bytes.join(':')}`;
}

/**
 * Every neighbour across the segment, known from the start: the kernel holds back only a few packets of a burst while it
 * asks for a hardware address, and drops the rest.
 */
export function neighbourLines(plan: Plan, host: PlannedHost, nic: PlannedInterface): string[] {
  const side = (name: string) => name.replace(/\d+$/, '');
  return plan.hosts
    .filter((other) => other !== host)
    .flatMap((other) => other.interfaces)
    .filter((other) => other.segment === nic.segment && side(other.name) !== side(nic.name))
    .flatMap((other) =>
      other.addresses.map(
        (address) => `neighbour replace ${address} lladdr ${hardwareAddress(other)} dev ${nic.name} nud permanent`,
      ),
    );
}

/** What the scenario asks of the link of this interface: `link` speaks of the way towards the next hop. Delay in ms, loss as a share. */
export function impairmentOf(host: PlannedHost, nic: PlannedInterface): { delay: number; loss: number } | undefined {
  const { delay = 0, loss = 0 } = host.spec.link ?? {};
  return nic.name.startsWith('back') && (delay > 0 || loss > 0) ? { delay, loss } : undefined;
}

/** Queue of a delayed link, packets: netem's own 1,000 would lose packets of a burst that the scenario did not ask to lose. */
const NETEM_LIMIT = 100_000;

/** `tc -batch` line that impairs what leaves through a device. */
export function netemLine(device: string, { delay, loss }: { delay: number; loss: number }): string {
  return `qdisc add dev ${device} root netem limit ${NETEM_LIMIT} delay ${Math.round(delay * 1000)}us loss ${loss * 100}%`;
}

/** `nft -f` text that loses packets between the two devices of a bridge, where the kernel has no netem. */
export function lossRules(table: string, devices: [string, string], loss: number): string[] {
  return [
    `table bridge ${table} {`,
    '  chain cross {',
    '    type filter hook forward priority 0; policy accept;',
    `    iifname { "${devices[0]}", "${devices[1]}" } ether type ip numgen random mod 1000000 < ${Math.round(loss * 1e6)} drop`,
    '  }',
    '}',
  ];
}
