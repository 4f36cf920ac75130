/** `nat`: a gateway that shares one pool of source ports among all hosts behind it (SNAT by nftables). */
import { z } from 'zod';
import { usageError } from '../errors.js';
import { forwardSetRules } from '../observe/forward-set.js';
import { defineKind, type NodeContext, type RunningNode } from './kind.js';
import { commonKnobs, connectionTimeouts, count, looseTracking } from './knobs.js';

/** The SNAT range of a gateway whose scenario names none: every unprivileged port. */
export const DEFAULT_NAT_PORTS = { lo: 1024, hi: 65_535 } as const;

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  /** How many SNAT addresses it has, each with the whole port range. */
  addresses: count(1, 200).default(1),
  /** How the source port is chosen: the kernel's way (keep the client's port if it can), random, or fully random. */
  allocation: z.enum(['kernel', 'random', 'fully-random']).default('kernel'),
  /** Translate to the address of the outgoing interface instead of a fixed one. */
  masquerade: z.boolean().default(false),
  timeouts: connectionTimeouts,
  looseTracking,
});

type NatSpec = z.output<typeof knobs>;

export const nat = defineKind({
  kind: 'nat',
  layer: 'L3',
  summary: 'A NAT gateway: rewrites the source of every connection to its own address and a port of its pool.',
  commands: { nft: 'nftables' },
  knobs,
  start,
});

async function start({ host, planned, spec, sources }: NodeContext<NatSpec>): Promise<RunningNode> {
  if (spec.masquerade && sources.length > 1)
    throw usageError(
      '`masquerade` translates to the one address of the outgoing interface',
      `topology.${planned.node}.addresses`,
      'leave out `masquerade` to use several addresses',
    );
  const rules = `${translationRules(spec, sources)}\n${forwardSetRules()}`;
  await host.writeFile('nat.nft', rules);
  await host.run(['nft', '-f', '-'], { input: rules });
  return { processes: [] };
}

/**
 * The gateway's translation as text for `nft -f`. Only TCP is translated, and only towards the next hop.
 * Several addresses take turns, connection by connection: a plain address range would be hashed by the client's address,
 * so that one client would only ever use one of them.
 */
export function translationRules(
  spec: Pick<NatSpec, 'ports' | 'allocation' | 'masquerade'>,
  sources: string[],
): string {
  const { lo, hi } = spec.ports ?? DEFAULT_NAT_PORTS;
  const flags = spec.allocation === 'kernel' ? '' : ` ${spec.allocation}`;
  const translate = spec.masquerade
    ? [`masquerade to :${lo}-${hi}${flags}`]
    : sources.map((address, index) => {
        // One in n for the first address; of what is left one in n-1 for the second; …: exactly even.
        const left = sources.length - index;
        const turn = left === 1 ? '' : `numgen inc mod ${left} 0 `;
        return `${turn}snat to ${address}:${lo}-${hi}${flags}`;
      });
  return `table ip portparty_nat {
  chain translate {
    type nat hook postrouting priority srcnat; policy accept;
${translate.map((rule) => `    oifname "back0" ip protocol tcp ${rule}`).join('\n')}
  }
}
`;
}
