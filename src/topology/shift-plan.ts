/** A plan moved to other addresses of 198.18.0.0/15, for drivers whose testbeds share one address space. */
import { ipToNumber, numberToIp } from '../sys/ip.js';
import type { Endpoint, Plan } from './plan.js';

/** Every address of the plan `offset` further on. The offset is a multiple of the largest subnet's size, so that subnets stay aligned. */
export function shiftPlan(plan: Plan, offset: number): Plan {
  if (offset === 0) return plan;
  const moved = (address: string) => numberToIp(ipToNumber(address) + offset);
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
