/** A plan's segments as Docker networks with fixed subnets, kept apart from all that Docker does to traffic of its own accord. */
import { allOrFirstError } from '../../promises.js';
import type { PlannedSegment } from '../../topology/plan.js';
import { daemonError } from './daemon.js';
import type { Session } from './session.js';

/** A network of the session. */
export interface TestbedNetwork {
  id: string;
  name: string;
}

/**
 * Makes one bridge network per segment. Docker's masquerading is off in each, as it would also change packets that only pass
 * a bridge (`net.bridge.bridge-nf-call-iptables`): a packet of one segment in another one would match its rule. The networks
 * are not `internal`, whose isolation rules would drop them. For the same reason a daemon's protection of container addresses
 * is off: it would drop a packet for a host of another segment on its way to the gateway.
 * Throws a PortPartyError (exit 3).
 */
export async function makeNetworks(
  session: Session,
  segments: Pick<PlannedSegment, 'name' | 'subnet'>[],
): Promise<Map<string, TestbedNetwork>> {
  const made = await allOrFirstError(
    segments.map(async ({ name, subnet }): Promise<[string, TestbedNetwork]> => {
      const fullName = `${session.prefix}-${name}`;
      try {
        const network = await session.daemon.docker.createNetwork({
          Name: fullName,
          Driver: 'bridge',
          CheckDuplicate: true,
          Labels: session.labels,
          // .1 is the bridge's own: no host of a plan has it.
          IPAM: { Config: [{ Subnet: subnet, Gateway: firstAddress(subnet) }] },
          Options: {
            'com.docker.network.bridge.enable_ip_masquerade': 'false',
            'com.docker.network.bridge.enable_icc': 'true',
            ...unprotected(session.daemon.version),
          },
        });
        return [name, { id: network.id, name: fullName }];
      } catch (error) {
        throw daemonError(`making the network ${subnet} of segment ${name}`, error);
      }
    }),
  );
  return new Map(made);
}

/**
 * Since version 28 a rule of PREROUTING drops what is addressed to a container and comes in by another bridge
 * (docs.docker.com/engine/network/port-publishing, gateway modes); version 27 refuses this mode, older ones do not know it.
 */
function unprotected(version: string): Record<string, string> {
  return Number.parseInt(version, 10) >= 28 ? { 'com.docker.network.bridge.gateway_mode_ipv4': 'nat-unprotected' } : {};
}

function firstAddress(subnet: string): string {
  return subnet.replace(/\d+\/\d+$/, (end) => String(Number.parseInt(end, 10) + 1));
}
