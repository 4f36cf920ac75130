/** The plan of a testbed as plain values: every host, segment, address, route and sysctl, made from a scenario without any I/O. */
import type { NodeSpec } from '../nodes/registry.js';

/** The layer at which a node works: L3 kinds forward packets, L7 kinds and servers terminate connections. */
export type Layer = 'client' | 'L3' | 'L7' | 'server';

/** One attachment of a host to a segment. */
export interface PlannedInterface {
  /** Interface name inside the host: `front0` (towards the previous hop) or `back0` (towards the next one). */
  name: string;
  segment: string;
  /** First one is the primary address; the rest are extra SNAT or source addresses. */
  addresses: string[];
  prefixLength: number;
}

/** One route of a host, `destination` in CIDR notation or `default`. */
export interface PlannedRoute {
  destination: string;
  via: string;
}

/** One host; `name` is `shop[0]`, or plain `edge` for a node with one host. */
export interface PlannedHost {
  name: string;
  node: string;
  /** Index among the node's hosts. */
  index: number;
  kind: string;
  layer: Layer;
  spec: NodeSpec;
  interfaces: PlannedInterface[];
  routes: PlannedRoute[];
  /** Forwarding, port range and the scenario's own `sysctls`, in the order in which they are set. */
  sysctls: [name: string, value: string][];
}

/** A broadcast domain of its own: the hosts of one node and of all nodes that point `to` it. */
export interface PlannedSegment {
  /** Named after the node that it leads to. */
  name: string;
  /** CIDR, inside 198.18.0.0/15 (RFC 2544). */
  subnet: string;
  /** Names of the hosts attached to it. */
  hosts: string[];
}

/** Where connections can be sent. */
export interface Endpoint {
  host: string;
  address: string;
  port: number;
}

/** A testbed before it is built. Keys are host names such as `shop[0]`; addresses are dotted IPv4. */
export interface Plan {
  hosts: PlannedHost[];
  segments: PlannedSegment[];
  /** Where the own connections of each client, proxy, and server with a next hop go, by host name: the first L7 node or server down its `to` chain. */
  targets: Record<string, Endpoint[]>;
  /** Where each L7 host or server listens, by host name. */
  listeners: Record<string, Endpoint>;
  /** The addresses that each L7 host, and each server with a next hop, opens connections from, and each NAT gateway translates to, by host name. */
  sources: Record<string, string[]>;
}

/** Port that proxies listen on. */
export const PROXY_PORT = 80;
/** Port that servers listen on. */
export const SERVER_PORT = 8080;
/** Port that stores listen on: Redis' own. */
export const STORE_PORT = 6379;
