/** The routes between segments: forward along the chain, and back to the segments behind a gateway that does not translate. */
import type { PlannedHost, PlannedSegment } from './plan.js';

/** What a route needs to know of a host; fills in `routes`. */
export type RoutedHost = Pick<PlannedHost, 'name' | 'node' | 'index' | 'kind' | 'layer' | 'interfaces' | 'routes'> & {
  spec: { to?: string };
};

/**
 * Gives every host its routes. Forward: `default` through the next node where that one forwards packets (host i of n takes
 * gateway i mod n). Back: to each address behind a gateway that keeps source addresses, through the same gateway that its packets
 * came by, so that a stateful one sees both directions. Behind NAT nothing is to be found: replies go to the gateway itself.
 */
export function planRoutes(hosts: RoutedHost[], segments: Pick<PlannedSegment, 'name' | 'subnet'>[]): void {
  const hostsOf = (node: string | undefined) => hosts.filter((host) => host.node === node);
  for (const host of hosts) {
    const gateway = gatewayOf(host, hostsOf(host.spec.to));
    if (gateway !== undefined) host.routes.push({ destination: 'default', via: addressOf(gateway, 'front0') });
  }
  for (const gateway of hosts.filter((host) => host.layer === 'L3' && host.kind !== 'nat')) {
    const behind = sourcesThrough(gateway, hosts, segments);
    for (const next of hostsOf(gateway.spec.to)) {
      next.routes.push(...behind.map((destination) => ({ destination, via: addressOf(gateway, 'back0') })));
    }
  }
}

/** What comes out of a gateway with its own source address: a whole segment where the gateway is the only one, else single hosts. */
function sourcesThrough(
  gateway: RoutedHost,
  hosts: RoutedHost[],
  segments: Pick<PlannedSegment, 'name' | 'subnet'>[],
): string[] {
  const siblings = hosts.filter((host) => host.node === gateway.node);
  const previous = hosts.filter((host) => host.spec.to === gateway.node && gatewayOf(host, siblings) === gateway);
  const nearby =
    siblings.length === 1
      ? segments.filter((segment) => segment.name === gateway.node).map((segment) => segment.subnet)
      : previous.flatMap((host) =>
          host.interfaces.find(({ name }) => name === 'back0')!.addresses.map((a) => `${a}/32`),
        );
  const farther = previous
    .filter((host) => host.layer === 'L3' && host.kind !== 'nat')
    .flatMap((host) => sourcesThrough(host, hosts, segments));
  return [...nearby, ...farther];
}

function gatewayOf(host: RoutedHost, next: RoutedHost[]): RoutedHost | undefined {
  const gateways = next.filter((candidate) => candidate.layer === 'L3');
  return gateways[host.index % gateways.length];
}

function addressOf(host: RoutedHost, side: 'front0' | 'back0'): string {
  return host.interfaces.find(({ name }) => name === side)!.addresses[0];
}
