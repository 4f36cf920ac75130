/**
 * Links with delay or loss: a container that is nothing but a bridge stands between the host and its segment, so that what
 * one host sent and the other never got can be seen as that.
 *
 *     host --network "wire-host"-- near0 [bridge wire0] far0 --network of the segment-- next hop
 */
import type { StartedTestContainer } from 'testcontainers';
import { testbedError } from '../../errors.js';
import { allOrFirstError } from '../../promises.js';
import { numberToIp } from '../../sys/ip.js';
import type { Plan, PlannedHost, PlannedInterface } from '../../topology/plan.js';
import { boundsOf } from '../../topology/subnets.js';
import { impairmentOf, lossRules, netemLine } from '../link-lines.js';
import { startContainer } from './container.js';
import { containerName } from './names.js';
import type { TestbedNetwork } from './networks.js';
import type { Reach } from './reach.js';
import type { Session } from './session.js';

/** One impaired link. */
interface Wire {
  host: PlannedHost;
  nic: PlannedInterface;
  /** Name of the network between the host and the wire. */
  network: string;
  delay: number;
  loss: number;
}

/** The wires that a plan needs. */
export function wiresOf(plan: Plan): Wire[] {
  return plan.hosts.flatMap((host) =>
    host.interfaces.flatMap((nic) => {
      const impairment = impairmentOf(host, nic);
      return impairment === undefined ? [] : [{ host, nic, network: `wire-${host.name}`, ...impairment }];
    }),
  );
}

/** Name of the network that a host's interface is attached to. */
export function networkOf(host: PlannedHost, nic: PlannedInterface): string {
  return impairmentOf(host, nic) === undefined ? nic.segment : `wire-${host.name}`;
}

const WIRE_SUBNET_SIZE = 8;

/** The networks between hosts and wires, behind the plan's own. Their addresses are Docker's affair and never used. */
export function wireSegments(plan: Plan): { name: string; subnet: string }[] {
  const last = Math.max(...plan.segments.map(({ subnet }) => boundsOf(subnet).last));
  const start = Math.ceil((last + 1) / WIRE_SUBNET_SIZE) * WIRE_SUBNET_SIZE;
  return wiresOf(plan).map(({ network }, index) => ({
    name: network,
    subnet: `${numberToIp(start + index * WIRE_SUBNET_SIZE)}/29`,
  }));
}

/**
 * Starts the wires and impairs them. `reachOf` gives the way into a container that runs.
 * Throws a PortPartyError (exit 3).
 */
export async function addWires(
  session: Session,
  plan: Plan,
  networks: Map<string, TestbedNetwork>,
  reachOf: (container: StartedTestContainer, name: string) => Promise<Reach>,
): Promise<void> {
  await allOrFirstError(
    wiresOf(plan).map(async (wire) => {
      const near = networks.get(wire.network)!;
      const [far] = wire.nic.addresses;
      const container = await startContainer(session, {
        name: containerName(wire.network),
        image: session.images.gateway!,
        network: [{ network: near }, { network: networks.get(wire.nic.segment)!, address: far }],
        capabilities: ['NET_ADMIN'],
      });
      const reach = await reachOf(container, wire.network);
      const ports = { near0: container.getIpAddress(near.name), far0: far };
      await reach.run(['ip', '-batch', '-'], `${bridgeLines(await reach.interfaces(), ports).join('\n')}\n`);
      await impair(reach, wire);
    }),
  );
}

function bridgeLines(interfaces: Map<string, string>, ports: Record<string, string>): string[] {
  const lines = ['link add wire0 type bridge mcast_snooping 0', 'link set wire0 up'];
  for (const [name, address] of Object.entries(ports)) {
    const now = interfaces.get(address)!;
    lines.push(
      `address flush dev ${now}`,
      `link set ${now} down`,
      `link set ${now} name ${name}`,
      `link set ${name} master wire0 up`,
    );
  }
  return lines;
}

/** netem, leaving on either side: once per direction; loss alone by nftables where the kernel has no netem. */
async function impair(reach: Reach, { host, delay, loss }: Wire): Promise<void> {
  try {
    const lines = ['near0', 'far0'].map((device) => netemLine(device, { delay, loss }));
    await reach.run(['tc', '-batch', '-'], `${lines.join('\n')}\n`);
  } catch (error) {
    if (delay > 0)
      throw testbedError(
        'the kernel of the Docker daemon has no netem, which `link: { delay }` needs',
        `topology.${host.node}.link.delay`,
        'leave the delay out, or load the module sch_netem on the machine of the daemon (sudo modprobe sch_netem)',
        error,
      );
    await reach.run(['nft', '-f', '-'], `${lossRules('wire0', ['near0', 'far0'], loss).join('\n')}\n`);
  }
}
