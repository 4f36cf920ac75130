/**
 * The links of a plan as text for `ip -batch`, `tc -batch` and `nft -f`.
 *
 * A segment of two hosts is one veth pair. A larger one is a bridge in a namespace of its own, the fabric, to which every
 * host has a cable. A host whose link has a delay or a loss hangs on a wire: a second bridge of two ports in between, where
 * the impairment happens outside both hosts, so that what one host sent and the other never got can be seen as that.
 *
 *     host --veth-- p3 [bridge w3] i3 --veth-- j3 [bridge br0] p4 --veth-- host
 */
import type { Plan, PlannedHost, PlannedInterface, PlannedSegment } from '../../topology/plan.js';
import { hardwareAddress, impairmentOf, lossRules, neighbourLines, netemLine } from '../link-lines.js';

/** Everything that builds the links, each entry one script. */
export interface LinkScripts {
  /** `ip -batch`, run in a namespace outside the testbed: makes the cables. */
  cables: string[];
  /** `ip -batch` of each host, by name. */
  hosts: Map<string, string[]>;
  /** `ip -batch`, `tc -batch` and `nft -f` of the fabric, and how many ports its bridges have; empty where no segment needs it. */
  fabric: { ip: string[]; tc: string[]; nft: string[]; ports: number };
}

/** One host's end in a segment. */
interface End {
  host: PlannedHost;
  nic: PlannedInterface;
}

/**
 * Renders the scripts. `namespaceOf` gives the path of a host's namespace, or of the fabric's for undefined.
 * `netem` tells whether the kernel has it; without it loss is made by nftables, and delay must have been refused before.
 */
export function linkScripts(plan: Plan, namespaceOf: (host?: string) => string, netem: boolean): LinkScripts {
  const scripts: LinkScripts = { cables: [], hosts: new Map(), fabric: { ip: [], tc: [], nft: [], ports: 0 } };
  for (const segment of plan.segments) {
    const ends = endsOf(plan, segment);
    if (isOnePair(ends)) scripts.cables.push(pairCable(ends[0], ends[1], namespaceOf));
    else if (ends.length > 0) addBridge(scripts, ends, namespaceOf, netem);
  }
  for (const host of plan.hosts) scripts.hosts.set(host.name, hostScript(plan, host));
  return scripts;
}

/** True when any segment needs the fabric's namespace. */
export function needsFabric(plan: Plan): boolean {
  return plan.segments.some((segment) => {
    const ends = endsOf(plan, segment);
    return ends.length > 0 && !isOnePair(ends);
  });
}

function endsOf(plan: Plan, segment: PlannedSegment): End[] {
  return plan.hosts.flatMap((host) =>
    host.interfaces.filter((nic) => nic.segment === segment.name).map((nic) => ({ host, nic })),
  );
}

function isOnePair(ends: End[]): boolean {
  return ends.length === 2 && !ends.some(endImpairment);
}

/** What the scenario asks of the cable of this end. */
function endImpairment({ host, nic }: End) {
  return impairmentOf(host, nic);
}

/**
 * A host's end of a cable. The interface's number is unique in the whole testbed: where both ends have the same one in their
 * namespaces, as they would get it, the kernel takes the cable for no cable and lets it wait up to a second for its carrier
 * (linkwatch_urgent_event, net/core/link_watch.c).
 */
function hostEnd({ host, nic }: End, namespaceOf: (host?: string) => string): string {
  const index = Number.parseInt(hardwareAddress(nic).slice(9).replaceAll(':', ''), 16);
  return `${nic.name} index ${index} address ${hardwareAddress(nic)} netns ${namespaceOf(host.name)}`;
}

function pairCable(a: End, b: End, namespaceOf: (host?: string) => string): string {
  return `link add ${hostEnd(a, namespaceOf)} type veth peer name ${hostEnd(b, namespaceOf)}`;
}

function addBridge(scripts: LinkScripts, ends: End[], namespaceOf: (host?: string) => string, netem: boolean): void {
  const { ip } = scripts.fabric;
  // Interface names hold 15 characters: numbers instead of the segment's name.
  const bridge = `br${ip.length}`;
  ip.push(`link add ${bridge} type bridge mcast_snooping 0`, `link set ${bridge} up`);
  for (const end of ends) {
    const number = ip.length;
    scripts.cables.push(`link add ${hostEnd(end, namespaceOf)} type veth peer name p${number} netns ${namespaceOf()}`);
    const impairment = endImpairment(end);
    if (impairment) addWire(scripts.fabric, number, bridge, impairment, netem);
    else {
      ip.push(`link set p${number} master ${bridge} up`);
      scripts.fabric.ports++;
    }
  }
}

function addWire(
  fabric: LinkScripts['fabric'],
  number: number,
  bridge: string,
  { delay, loss }: { delay: number; loss: number },
  netem: boolean,
): void {
  const [near, inner, outer, wire] = [`p${number}`, `i${number}`, `j${number}`, `w${number}`];
  fabric.ip.push(
    `link add ${wire} type bridge mcast_snooping 0`,
    `link set ${wire} up`,
    `link add ${inner} type veth peer name ${outer}`,
    `link set ${near} master ${wire} up`,
    `link set ${inner} master ${wire} up`,
    `link set ${outer} master ${bridge} up`,
  );
  fabric.ports += 3;
  if (netem) {
    // Leaving the wire on either side: once per direction.
    for (const device of [near, inner]) fabric.tc.push(netemLine(device, { delay, loss }));
    return;
  }
  fabric.nft.push(...lossRules(wire, [near, inner], loss));
}

function hostScript(plan: Plan, host: PlannedHost): string[] {
  const lines = ['link set lo up'];
  for (const nic of host.interfaces) {
    for (const address of nic.addresses) lines.push(`address add ${address}/${nic.prefixLength} dev ${nic.name}`);
    lines.push(`link set ${nic.name} up`, ...neighbourLines(plan, host, nic));
  }
  for (const route of host.routes) lines.push(`route add ${route.destination} via ${route.via}`);
  return lines;
}
