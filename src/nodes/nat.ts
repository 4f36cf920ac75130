/** `nat`: a gateway that shares one pool of source ports among all hosts behind it (SNAT by nftables). */
import { z } from 'zod';
import { usageError } from '../errors.js';
import { forwardSetRules } from '../observe/forward-set.js';
import { type PortRange, rangeSize } from '../scenario/units.js';
import { senderAddresses } from '../topology/senders.js';
import { defineKind, type NodeContext, type RunningNode } from './kind.js';
import { commonKnobs, connectionTimeouts, count, looseTracking } from './knobs.js';

/** The SNAT range of a gateway whose scenario names none: every unprivileged port. */
const DEFAULT_NAT_PORTS = { lo: 1024, hi: 65_535 } as const;

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  /** How many SNAT addresses it has, each with the whole port range. */
  addresses: count(1, 200).default(1),
  /** How the source port is chosen: the kernel's way (keep the client's port if it can), random, or fully random. */
  allocation: z.enum(['kernel', 'random', 'fully-random']).default('kernel'),
  /** Translate to the address of the outgoing interface instead of a fixed one. */
  masquerade: z.boolean().default(false),
  /** A block of this many ports for each source address, and no other port for it (deterministic NAT, RFC 7422). */
  portsPerSource: count(1, 64_512).optional(),
  timeouts: connectionTimeouts,
  looseTracking,
});

type NatSpec = z.output<typeof knobs>;

/** The kind `nat`: source NAT of the kernel, set up by nft(8); no daemon runs. */
export const nat = defineKind({
  kind: 'nat',
  layer: 'L3',
  summary: 'A NAT gateway: rewrites the source of every connection to its own address and a port of its pool.',
  commands: { nft: 'nftables' },
  image: 'gateway',
  knobs,
  start,
});

async function start({ host, planned, spec, sources, plan }: NodeContext<NatSpec>): Promise<RunningNode> {
  if (spec.masquerade && sources.length > 1)
    throw usageError(
      '`masquerade` translates to the one address of the outgoing interface',
      `topology.${planned.node}.addresses`,
      'leave out `masquerade` to use several addresses',
    );
  const rules = `${translationRules(spec, sources, senderAddresses(plan, planned.node))}\n${forwardSetRules()}`;
  await Promise.all([host.writeFile('nat.nft', rules), host.run(['nft', '-f', '-'], { input: rules })]);
  return { processes: [] };
}

/** How many blocks of `portsPerSource` ports a gateway has over all its addresses. */
export function portBlocks({
  ports,
  addresses,
  portsPerSource,
}: Pick<NatSpec, 'ports' | 'addresses' | 'portsPerSource'>): number {
  return Math.floor(rangeSize(ports ?? DEFAULT_NAT_PORTS) / (portsPerSource ?? 1)) * addresses;
}

/**
 * The gateway's translation as text for `nft -f`. Only TCP is translated, and only towards the next hop. `senders` are the addresses
 * behind it, which matter where each has a block of its own.
 */
export function translationRules(
  spec: Pick<NatSpec, 'ports' | 'allocation' | 'masquerade'> & { portsPerSource?: number },
  sources: string[],
  senders: string[] = [],
): string {
  const { lo, hi } = spec.ports ?? DEFAULT_NAT_PORTS;
  const flags = spec.allocation === 'kernel' ? '' : ` ${spec.allocation}`;
  const to = (address: string, ports: string) =>
    `${spec.masquerade ? `masquerade to :${ports}` : `snat to ${address}:${ports}`}${flags}`;
  const translate =
    spec.portsPerSource === undefined
      ? inTurn(spec.masquerade ? sources.slice(0, 1) : sources, (address) => to(address, `${lo}-${hi}`))
      : inBlocks({ lo, hi }, spec.portsPerSource, sources, senders, to);
  return `table ip portparty_nat {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
${translate.map((rule) => `    oifname "back0" ip protocol tcp ${rule}`).join('\n')}
  }
}
`;
}

/**
 * Several addresses take turns, connection by connection: a plain address range would be hashed by the client's address,
 * so that one client would only ever use one of them.
 */
function inTurn(sources: string[], to: (address: string) => string): string[] {
  return sources.map((address, index) => {
    // One in n for the first address; of what is left one in n-1 for the second; …: exactly even.
    const left = sources.length - index;
    return `${left === 1 ? '' : `numgen inc mod ${left} 0 `}${to(address)}`;
  });
}

/** One address after the other is cut into blocks, and each sender gets the next one. */
function inBlocks(
  { lo, hi }: PortRange,
  size: number,
  sources: string[],
  senders: string[],
  to: (address: string, ports: string) => string,
): string[] {
  const perAddress = Math.floor((hi - lo + 1) / size);
  return senders.map((sender, index) => {
    const first = lo + (index % perAddress) * size;
    return `ip saddr ${sender} ${to(sources[Math.floor(index / perAddress)], `${first}-${first + size - 1}`)}`;
  });
}
