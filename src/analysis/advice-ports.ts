/** Advice against an exhausted port range: by who owns it, and whether its ports were held by open connections or by TIME_WAIT. */
import type { PortRange } from '../scenario/units.js';
import { spanOfMs } from '../seconds.js';
import type { Advice, AdviceFacts } from './advice.js';
import { knownKind, takesKnob } from './advice-common.js';
import { count, held, highestRate, withRoom } from './advice-numbers.js';

/** How long a closed connection keeps its port on the side that closed first: TCP_TIMEWAIT_LEN of <net/tcp.h>. */
const TIME_WAIT_S = 60;
const MOST_PORT = 65_535;
const LEAST_PORT = 1024;

/** What helps, the most direct first. */
export function againstExhaustion(facts: AdviceFacts): Advice[] {
  const { node } = facts;
  if (node.kind === 'nat')
    return [
      ...largerBlocks(facts),
      widerRange(facts),
      ...moreAddresses(facts, 'addresses'),
      ...closeEarly(facts),
      ...byGateway(facts),
    ];
  if (node.layer === 'client')
    return facts.isTimeWait
      ? [reuseTimeWait(facts), keepClientConnections(facts), widerRange(facts), moreClients(facts)]
      : [widerRange(facts), moreClients(facts), ...closeEarly(facts)];
  return facts.isTimeWait
    ? [
        keepalive(facts),
        reuseTimeWait(facts),
        widerRange(facts),
        ...moreAddresses(facts, 'sourceAddresses'),
        ...backendCloses(facts),
      ]
    : [widerRange(facts), ...moreAddresses(facts, 'sourceAddresses'), ...queue(facts), ...moreBackends(facts)];
}

const rangeOf = ({ node }: AdviceFacts) => node.spec.ports as PortRange | undefined;

/** One destination takes each port once; what a burst wanted at the same time is what the range must have. */
function arithmetic(facts: AdviceFacts): string {
  const { pool, neededPorts, isTimeWait, chain, node } = facts;
  const capacity = pool?.capacity;
  if (capacity === undefined) return 'a port serves one connection at a time towards one destination';
  if (isTimeWait)
    return `${count(capacity)} ports / ${TIME_WAIT_S} s in TIME_WAIT = ${rate(capacity / TIME_WAIT_S)} new connections a second in the long run`;
  const holdMs = node.layer === 'L7' ? 0 : held(chain.traffic);
  const most = highestRate(chain.traffic);
  const wanted = neededPorts === undefined ? '' : `; this burst wanted about ${count(neededPorts)} at a time`;
  if (holdMs > 0 && most !== undefined)
    return `${count(capacity)} ports / ${spanOfMs(holdMs)} held = ${rate(capacity / (holdMs / 1000))} new connections a second; up to ${rate(most)} came${wanted}`;
  return `${count(capacity)} ports serve ${count(capacity)} connections at a time towards one destination${wanted}`;
}

const rate = (perSecond: number) => (perSecond < 10 ? String(Number(perSecond.toFixed(1))) : count(perSecond));

function widerRange(facts: AdviceFacts): Advice {
  const range = rangeOf(facts);
  const needed = facts.neededPorts === undefined || facts.isTimeWait ? undefined : withRoom(facts.neededPorts);
  const own = range ?? { lo: LEAST_PORT, hi: MOST_PORT };
  const hi = own.lo + (needed ?? MOST_PORT) - 1;
  const value =
    needed !== undefined && hi <= MOST_PORT && hi > own.hi ? `${own.lo}-${hi}` : `${LEAST_PORT}-${MOST_PORT}`;
  const [lo, top] = value.split('-').map(Number);
  return {
    do: `Widen the port range to ${count(top - lo + 1)} ports.`,
    knob: `topology.${facts.at}.ports`,
    value,
    because: arithmetic(facts),
  };
}

function moreAddresses(facts: AdviceFacts, name: 'addresses' | 'sourceAddresses'): Advice[] {
  if (facts.node.spec.masquerade === true) return [];
  const now = Number(facts.node.spec[name] ?? 1);
  const { pool } = facts;
  if (pool === undefined) return [];
  const each = pool.capacity / now;
  const needed = facts.isTimeWait ? pool.capacity * 2 : withRoom(facts.neededPorts ?? pool.capacity + facts.lost);
  const addresses = Math.max(now + 1, Math.ceil(needed / each));
  if (addresses > MOST_ADDRESSES) return [];
  return [
    {
      do: `Or use ${count(addresses)} source addresses, each with the whole range.`,
      knob: `topology.${facts.at}.${name}`,
      value: String(addresses),
      because: `${count(addresses)} × ${count(each)} ports = ${count(addresses * each)}`,
    },
  ];
}

const MOST_ADDRESSES = 200;

/** Connections that are open while nobody uses them. */
function closeEarly({ chain, pool }: AdviceFacts): Advice[] {
  const { traffic } = chain;
  if (traffic.connections.mode !== 'per-visitor' || traffic.journey === 'hold' || held(traffic) === 0) return [];
  return [
    {
      do: 'Or close connections while visitors think: an idle connection sits on a port.',
      knob: 'traffic.connections',
      value: 'per-request',
      because: `each visitor holds a port for ${spanOfMs(held(traffic))} of thinking${pool === undefined ? '' : `; ${count(pool.capacity)} ports serve ${count(pool.capacity)} visitors at a time, busy or not`}`,
    },
  ];
}

/** A gateway that gives each source a block of its own: the block may be what is too small. */
function largerBlocks({ at, node: { spec } }: AdviceFacts): Advice[] {
  const { portsPerSource } = spec;
  if (typeof portsPerSource !== 'number') return [];
  return [
    {
      do: 'Give each source address a larger block of ports.',
      knob: `topology.${at}.portsPerSource`,
      value: String(portsPerSource * 2),
      because: `a block of ${count(portsPerSource)} ports serves ${count(portsPerSource)} connections of one source at a time towards one destination`,
    },
  ];
}

/** What only shows on kernels that keep the ports of finished connections. */
function byGateway({ at, isTimeWait }: AdviceFacts): Advice[] {
  return isTimeWait
    ? [
        {
          do: 'Let finished connections give their port back sooner (kernels before 6.5 keep it until then).',
          knob: `topology.${at}.timeouts.timeWait`,
          value: '10s',
        },
      ]
    : [];
}

function reuseTimeWait({ at }: AdviceFacts): Advice {
  return {
    do: 'Let new connections take over ports in TIME_WAIT after a second.',
    knob: `topology.${at}.sysctls.net.ipv4.tcp_tw_reuse`,
    value: '1',
    because: `the default, 2, does so on the loopback only; with 1 a port comes back after 1 s, not ${TIME_WAIT_S}`,
  };
}

function keepClientConnections({ chain }: AdviceFacts): Advice {
  const more = chain.traffic.connections.mode === 'per-request';
  return {
    do: 'Keep connections open over several requests: what is not closed leaves no TIME_WAIT.',
    knob: 'traffic.connections',
    value: more ? 'per-visitor' : '"pooled: 50"',
  };
}

function keepalive(facts: AdviceFacts): Advice {
  return {
    do: 'Keep connections to the backends open for later requests: what is not closed leaves no TIME_WAIT.',
    knob: `topology.${facts.at}.keepalive`,
    value: takesKnob(facts.node.kind, 'keepalive', 64) ? '64' : 'unlimited',
    because: arithmetic(facts),
  };
}

/** The side that closes first has the TIME_WAIT. */
function backendCloses({ node, chain }: AdviceFacts): Advice[] {
  const name = backendOf(node.targets);
  if (name === undefined || chain.nodes[name]?.spec.close !== 'client') return [];
  return [
    {
      do: 'Or let the backend close first: then the TIME_WAIT lies with it.',
      knob: `topology.${name}.close`,
      value: 'server',
    },
  ];
}

function queue(facts: AdviceFacts): Advice[] {
  const { pool, node, at } = facts;
  if (pool === undefined || node.spec.backendConnections !== undefined) return [];
  const waits = takesKnob(node.kind, 'queueTimeout') || knownKind(node.kind)?.waitsWithoutLimit;
  return [
    {
      do: waits
        ? 'Or let visitors wait in its queue instead of failing: allow each backend fewer connections than there are ports.'
        : 'Or allow each backend fewer connections than there are ports: what is beyond is refused at once, without the aftershock.',
      knob: `topology.${at}.backendConnections`,
      value: String(Math.max(1, Math.floor(pool.capacity * BELOW))),
      because: `${count(pool.capacity)} ports towards each backend`,
    },
  ];
}

const BELOW = 0.9;

function moreBackends(facts: AdviceFacts): Advice[] {
  const name = backendOf(facts.node.targets);
  const hosts = name === undefined ? undefined : facts.chain.nodes[name]?.hosts.length;
  if (hosts === undefined || facts.pool === undefined) return [];
  return [
    {
      do: 'Or share the load among more backends: the range counts for each of them anew.',
      knob: `topology.${name}.hosts`,
      value: String(hosts + 1),
      because: `${count(hosts + 1)} backends × ${count(facts.pool.capacity)} ports = ${count((hosts + 1) * facts.pool.capacity)} connections`,
    },
  ];
}

function moreClients(facts: AdviceFacts): Advice {
  const hosts = facts.node.hosts.length;
  return {
    do: 'Or come from more hosts: each has a range of its own.',
    knob: `topology.${facts.at}.hosts`,
    value: String(hosts + 1),
  };
}

const backendOf = (targets: AdviceFacts['node']['targets']) => targets?.[0]?.host.replace(/\[\d+\]$/, '');
