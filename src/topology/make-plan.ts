/** A scenario's variant to the plan of its testbed: hosts, segments, addresses, routes and sysctls. Pure: same variant, same plan. */
import type { NodeSpec } from '../nodes/registry.js';
import type { ScenarioVariant } from '../scenario/scenario.js';
import { chainFrom, layerOf, type Topology, targetNode } from './chain.js';
import { hostSysctls } from './host-sysctls.js';
import {
  type Endpoint,
  type Plan,
  type PlannedHost,
  type PlannedInterface,
  type PlannedSegment,
  PROXY_PORT,
  SERVER_PORT,
  STORE_PORT,
} from './plan.js';
import { planRoutes } from './routes.js';
import { subnetCarver } from './subnets.js';

/**
 * Plans a variant. A node that no client's chain reaches (a variant may route around it) is left out.
 * @throws PortPartyError (exit 2) when the addresses do not fit into 198.18.0.0/15
 */
export function makePlan(variant: ScenarioVariant): Plan {
  const topology = reachable(variant.topology);
  const hosts = Object.entries(topology).flatMap(([node, spec]) => hostsOf(node, spec));
  const segments = attach(topology, hosts);
  planRoutes(hosts, segments);
  return { hosts, segments, ...connections(topology, hosts) };
}

function reachable(topology: Topology): Topology {
  const clients = Object.keys(topology).filter((name) => layerOf(topology[name]) === 'client');
  const reached = new Set(clients.flatMap((name) => chainFrom(topology, name)));
  return Object.fromEntries(Object.entries(topology).filter(([name]) => reached.has(name)));
}

function hostsOf(node: string, spec: NodeSpec): PlannedHost[] {
  return Array.from({ length: spec.hosts }, (_, index) => ({
    name: spec.hosts === 1 ? node : `${node}[${index}]`,
    node,
    index,
    kind: spec.kind,
    layer: layerOf(spec),
    spec,
    interfaces: [],
    routes: [],
    sysctls: hostSysctls(spec),
  }));
}

/** One segment per node that others point to, with that node's hosts first; gives every host its interfaces. */
function attach(topology: Topology, hosts: PlannedHost[]): PlannedSegment[] {
  const carve = subnetCarver();
  const names = Object.keys(topology).filter((name) => Object.values(topology).some((spec) => spec.to === name));
  return names.map((name) => {
    const own = hosts.filter((host) => host.node === name);
    const previous = hosts.filter((host) => host.spec.to === name);
    const subnet = carve(own.length + previous.reduce((sum, host) => sum + addressesBehind(host.spec), 0));
    const join = (host: PlannedHost, side: 'front0' | 'back0', count: number) => {
      const addresses = Array.from({ length: count }, () => subnet.nextAddress());
      host.interfaces.push({ name: side, segment: name, addresses, prefixLength: subnet.prefixLength });
    };
    for (const host of own) join(host, 'front0', 1);
    for (const host of previous) join(host, 'back0', addressesBehind(host.spec));
    return { name, subnet: subnet.cidr, hosts: [...own, ...previous].map((host) => host.name) };
  });
}

/** How many addresses a host has towards its next hop. */
export function addressesBehind(spec: NodeSpec): number {
  if (spec.kind === 'nat') return spec.addresses;
  return 'sourceAddresses' in spec ? spec.sourceAddresses : 1;
}

function connections(topology: Topology, hosts: PlannedHost[]): Pick<Plan, 'targets' | 'listeners' | 'sources'> {
  const listening = hosts.filter((host) => host.layer === 'L7' || host.layer === 'server');
  const opening = hosts.filter((host) => host.layer === 'client' || host.layer === 'L7' || asksFurther(host));
  const listeners = Object.fromEntries(listening.map((host) => [host.name, endpointOf(host)]));
  const targets = opening.map((host): [string, Endpoint[]] => {
    const target = targetNode(topology, host.node);
    return [host.name, hosts.filter(({ node }) => node === target).map(({ name }) => listeners[name])];
  });
  const sources = hosts
    .filter((host) => host.layer === 'L7' || host.kind === 'nat' || asksFurther(host))
    .map((host): [string, string[]] => [host.name, interfaceOf(host, 'back0').addresses]);
  return { listeners, targets: Object.fromEntries(targets), sources: Object.fromEntries(sources) };
}

/** A server that opens connections of its own, to a store. */
const asksFurther = ({ layer, spec }: PlannedHost) => layer === 'server' && spec.to !== undefined;

function endpointOf(host: PlannedHost): Endpoint {
  const [address] = interfaceOf(host, 'front0').addresses;
  return { host: host.name, address, port: host.spec.port ?? usualPort(host) };
}

function usualPort({ layer, kind }: PlannedHost): number {
  if (layer === 'L7') return PROXY_PORT;
  return kind === 'redis' ? STORE_PORT : SERVER_PORT;
}

function interfaceOf(host: PlannedHost, name: 'front0' | 'back0'): PlannedInterface {
  return host.interfaces.find((candidate) => candidate.name === name)!;
}
