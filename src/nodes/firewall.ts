/** `firewall`: forwards without translating; ordered rules, limits per source, and segments decide who may connect (nftables). */
import { z } from 'zod';
import { portRange } from '../scenario/units.js';
import { judgementsOf } from './firewall/judgements.js';
import { renderRuleset } from './firewall/ruleset.js';
import { defineKind, type KnobProblem, type NodeContext, type RunningNode } from './kind.js';
import { commonKnobs, connectionTimeouts, count, looseTracking, rateLimit } from './knobs.js';

const action = z.enum(['allow', 'drop', 'reject']);

const CIDR = /^\d{1,3}(\.\d{1,3}){3}(\/\d{1,2})?$/;
const NODE = /^[a-z][a-z0-9-]*$/;

const party = z.string().refine((text) => (CIDR.test(text) ? isIpv4(text) : NODE.test(text)), {
  error: (issue) =>
    `"${String(issue.input)}" is neither a node nor a range of addresses; write it like buyers or 198.18.0.0/24`,
});

/** One party, or a list of them. */
const parties = z
  .union([party, z.array(party).min(1)], {
    error: (issue) =>
      typeof issue.input === 'string'
        ? `"${issue.input}" is neither a node nor a range of addresses; write it like buyers or 198.18.0.0/24`
        : 'expected a node, a range of addresses, or a list of them; write it like buyers or 198.18.0.0/24',
  })
  .transform((written) => [written].flat());

const port = z
  .union([count(1, 65_535), portRange], { error: 'expected a port or a range of ports; write it like 80 or 1-1024' })
  .transform((written) => (typeof written === 'number' ? { lo: written, hi: written } : written));

const rule = z.strictObject(
  {
    /** `drop` is silent, `reject` answers by RST. */
    action,
    /** Whom the connection comes from; absent: anybody. */
    from: parties.optional(),
    /** Whom it goes to; absent: anybody. */
    to: parties.optional(),
    /** Its destination port or ports; absent: any. */
    port: port.optional(),
  },
  { error: 'expected a rule; write it like { action: drop, from: mallory, port: 1-79 }' },
);

/** A rule as the program knows it. */
export type FirewallRule = z.output<typeof rule>;

const knobs = z.strictObject({
  ...commonKnobs,
  to: z.string(),
  /** In order; the first that fits decides. */
  rules: z
    .array(rule, { error: 'expected a list of rules; write it like [{ action: drop, from: mallory }]' })
    .default([]),
  /** Who may talk to whom: for each source node the nodes that it may connect to. What is not named is refused by `policy`. */
  segments: z.record(z.string(), z.array(z.string())).optional(),
  /** What becomes of a connection that no rule and no segment decides; absent: `allow`, with `segments` `drop`. */
  policy: action.optional(),
  /** Connections that one source address may have at a time through this firewall (`ct count`). */
  connectionsPerSource: count(1).optional(),
  /** New connections that one source address may open. */
  rateLimit,
  /** How a connection over a limit is refused. */
  overLimit: z.enum(['drop', 'reject']).default('drop'),
  timeouts: connectionTimeouts,
  looseTracking,
});

/** The knobs of a firewall, resolved. */
export type FirewallSpec = z.output<typeof knobs>;

/** The kind `firewall`: the kernel's packet filter, set up by nft(8); no daemon runs. */
export const firewall = defineKind({
  kind: 'firewall',
  layer: 'L3',
  summary:
    'A firewall: forwards what its ordered rules, limits per source and segments let in, and keeps track of connections.',
  commands: { nft: 'nftables' },
  image: 'gateway',
  knobs,
  refuse,
  start,
});

/** What contradicts itself. */
function refuse(spec: FirewallSpec): KnobProblem[] {
  const problems: KnobProblem[] = [];
  if (spec.segments !== undefined && spec.policy === 'allow')
    problems.push({
      path: ['policy'],
      message: '`segments` name who may talk to whom, and `policy: allow` would let everybody in',
      hint: 'leave out `policy`, or write `policy: reject`',
    });
  if (spec.rateLimit !== undefined && spec.rateLimit.rate * 3600 < 1)
    problems.push({
      path: ['rateLimit', 'rate'],
      message: 'nftables counts at least one connection an hour',
      hint: 'write it like 20/s or 30/m',
    });
  return problems;
}

async function start({ host, spec, plan }: NodeContext<FirewallSpec>): Promise<RunningNode> {
  const rules = renderRuleset(spec, judgementsOf(spec, plan));
  await host.writeFile('firewall.nft', rules);
  await host.run(['nft', '-f', '-'], { input: rules });
  return { processes: [] };
}

function isIpv4(text: string): boolean {
  const [address, prefix = '32'] = text.split('/');
  return Number(prefix) <= 32 && address.split('.').every((part) => Number(part) <= 255);
}
