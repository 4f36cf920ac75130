/** The kernel settings of one node's hosts: forwarding, port range, connection table, then the scenario's own. */
import type { NodeSpec } from '../nodes/registry.js';
import { layerOf } from './chain.js';

const FIRST_UNPRIVILEGED_PORT = 1024;

/** In the order in which they are set; the scenario's own `sysctls` come last and so have the last word. */
export function hostSysctls(spec: NodeSpec): [name: string, value: string][] {
  return [
    // Neighbour discovery would put packets on the links that no visitor sent.
    ['net.ipv6.conf.all.disable_ipv6', '1'],
    ...(layerOf(spec) === 'L3' ? [['net.ipv4.ip_forward', '1'] as [string, string]] : localPorts(spec)),
    ...(spec.kind === 'nat' || spec.kind === 'firewall' ? connectionTable(spec) : []),
    ...Object.entries(spec.sysctls).map(([name, value]): [string, string] => [name, String(value)]),
  ];
}

function localPorts({ ports }: NodeSpec): [string, string][] {
  if (ports === undefined) return [];
  const range: [string, string] = ['net.ipv4.ip_local_port_range', `${ports.lo} ${ports.hi}`];
  // The kernel refuses a range that reaches below the first unprivileged port.
  if (ports.lo >= FIRST_UNPRIVILEGED_PORT) return [range];
  return [['net.ipv4.ip_unprivileged_port_start', String(ports.lo)], range];
}

function connectionTable(spec: Extract<NodeSpec, { kind: 'nat' | 'firewall' }>): [string, string][] {
  const { established, timeWait, finWait, closeWait, synSent } = spec.timeouts;
  const timeouts = { established, time_wait: timeWait, fin_wait: finWait, close_wait: closeWait, syn_sent: synSent };
  const settings = Object.entries(timeouts)
    .filter((entry): entry is [string, number] => entry[1] !== undefined)
    // The kernel counts these in whole seconds, and 0 would forget a connection at once.
    .map(([state, ms]): [string, string] => [
      `net.netfilter.nf_conntrack_tcp_timeout_${state}`,
      String(Math.max(1, Math.round(ms / 1000))),
    ]);
  if (spec.looseTracking !== undefined) {
    settings.push(['net.netfilter.nf_conntrack_tcp_loose', spec.looseTracking ? '1' : '0']);
  }
  return settings;
}
