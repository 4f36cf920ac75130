/** Which hosts own a pool of source ports, how large it is, and how its use is counted. */
import { type PortRange, rangeSize } from '../scenario/units.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import type { WatchedPorts } from './sock-diag.js';

/** The pool of one host. `capacity` is the number of connections to one destination that it can carry at a time. */
export type Pool =
  | { countedBy: 'conntrack'; capacity: number }
  | { countedBy: 'sockets'; capacity: number; watched: WatchedPorts };

/** The kernel's range for a translated port that its rule does not narrow (nf_nat_l4proto_unique_tuple, for ports above 1023). */
const UNLIMITED_SNAT: PortRange = { lo: 1024, hi: 65_535 };

/**
 * The pool of a host, undefined where it opens no connections of its own.
 * `localRange` is the host's `net.ipv4.ip_local_port_range` as it is in force.
 */
export function poolOf(planned: PlannedHost, plan: Plan, localRange: PortRange): Pool | undefined {
  const { spec } = planned;
  if (spec.kind === 'nat') {
    const addresses = spec.masquerade ? 1 : spec.addresses;
    return { countedBy: 'conntrack', capacity: rangeSize(spec.ports ?? UNLIMITED_SNAT) * addresses };
  }
  const targets = plan.targets[planned.name] ?? [];
  if (planned.layer === 'L3' || targets.length === 0) return undefined;
  const addresses = Math.max(1, plan.sources[planned.name]?.length ?? 1);
  return {
    countedBy: 'sockets',
    capacity: rangeSize(localRange) * addresses,
    watched: { range: localRange, targets },
  };
}
