/** A plan moved to other addresses of 198.18.0.0/15, for drivers whose testbeds share one address space. */
import type { Endpoint, Plan } from './plan.js';

/** First address of 198.18.0.0/15 (RFC 2544) as a number. */
export const RANGE_START = 0xc612_0000;
/** How many addresses 198.18.0.0/15 has. */
export const RANGE_SIZE = 2 ** 17;

/** Every address of the plan `offset` further on. The offset is a multiple of the largest subnet's size, so that subnets stay aligned. */
export function shiftPlan(plan: Plan, offset: number): Plan {
  if (offset === 0) return plan;
  const moved = (address: string) => toDotted(toNumber(address) + offset);
  const movedCidr = (cidr: string) => {
    const [address, length] = cidr.split('/');
    return length === undefined ? cidr : `${moved(address)}/${length}`;
  };
  const movedEndpoint = (endpoint: Endpoint) => ({ ...endpoint, address: moved(endpoint.address) });
  const mapValues = <From, To>(record: Record<string, From>, to: (value: From) => To) =>
    Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
  return {
    hosts: plan.hosts.map((host) => ({
      ...host,
      interfaces: host.interfaces.map((nic) => ({ ...nic, addresses: nic.addresses.map(moved) })),
      routes: host.routes.map(({ destination, via }) => ({ destination: movedCidr(destination), via: moved(via) })),
    })),
    segments: plan.segments.map((segment) => ({ ...segment, subnet: movedCidr(segment.subnet) })),
    targets: mapValues(plan.targets, (endpoints) => endpoints.map(movedEndpoint)),
    listeners: mapValues(plan.listeners, movedEndpoint),
    sources: mapValues(plan.sources, (addresses) => addresses.map(moved)),
  };
}

/** First and last address of a subnet in CIDR notation, as numbers. */
export function boundsOf(cidr: string): { first: number; last: number } {
  const [address, length] = cidr.split('/');
  const first = toNumber(address);
  return { first, last: first + 2 ** (32 - Number(length)) - 1 };
}

/** A number as a dotted IPv4 address. */
export function toDotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 0xff).join('.');
}

function toNumber(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}
