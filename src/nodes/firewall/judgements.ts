/** A firewall's knobs and its place in the plan, made into the ordered list of what decides about a new connection. */
import type { Cause } from '../../ledger/causes.js';
import type { PortRange } from '../../scenario/units.js';
import type { Plan, PlannedHost } from '../../topology/plan.js';
import type { FirewallRule, FirewallSpec } from '../firewall.js';

/** Connections that a judgement is about; what is undefined does not matter. */
export interface Match {
  /** Addresses or CIDRs. */
  from: string[] | undefined;
  to: string[] | undefined;
  ports: PortRange | undefined;
}

/** What becomes of a connection: on to the limits, or refused with this cause. */
export type Outcome = { action: 'allow' } | { action: 'drop' | 'reject'; refusal: Refusal };

/** A way in which this firewall refuses, with the nftables set that notes the SYNs so refused. */
export interface Refusal {
  /** Name of the set. */
  set: string;
  cause: Cause;
  /** The rule in words, for the evidence. */
  rule: string;
}

/** One step of the firewall; the first that matches decides. */
export interface Judgement {
  match: Match;
  outcome: Outcome;
}

/** All that decides about a new connection. */
export interface Judgements {
  /** In order; the last one matches everything. */
  steps: Judgement[];
  /** What meets those that were allowed. */
  limits: { rate: Refusal | undefined; connections: Refusal | undefined };
}

const EVERYTHING: Match = { from: undefined, to: undefined, ports: undefined };

/** The rules, then the segments, then the policy, with the addresses that the plan gives to the nodes that they name. */
export function judgementsOf(spec: FirewallSpec, plan: Plan): Judgements {
  const match = ({ from, to, port }: Pick<FirewallRule, 'from' | 'to' | 'port'>): Match => ({
    from: addressesOf(from, plan, sourcesOf),
    to: addressesOf(to, plan, destinationsOf),
    ports: port,
  });
  const ofRules = spec.rules.map((rule, index): Judgement => {
    if (rule.action === 'allow') return { match: match(rule), outcome: { action: 'allow' } };
    const outcome = refuseBy(rule.action, `rule_${index}`, `rules[${index}]: ${inWords(rule)}`);
    return { match: match(rule), outcome };
  });
  const ofSegments = Object.entries(spec.segments ?? {}).map(
    ([from, to]): Judgement => ({ match: match({ from: [from], to }), outcome: { action: 'allow' } }),
  );
  return {
    // A node that this variant has no host of makes a rule that nothing can match.
    steps: [...ofRules, ...ofSegments, { match: EVERYTHING, outcome: lastWord(spec) }].filter(
      ({ match: { from, to } }) => from?.length !== 0 && to?.length !== 0,
    ),
    limits: {
      rate: spec.rateLimit && {
        set: 'over_rate',
        cause: 'throttled',
        rule: `rateLimit: ${spec.rateLimit.rate}/s and ${spec.rateLimit.burst} at once per source`,
      },
      connections:
        spec.connectionsPerSource === undefined
          ? undefined
          : {
              set: 'over_connections',
              cause: 'connection-limit',
              rule: `connectionsPerSource: ${spec.connectionsPerSource}`,
            },
    },
  };
}

/** Every way in which the firewall can refuse, in the order in which they are asked. */
export function refusalsOf({ steps, limits }: Judgements): Refusal[] {
  const bySteps = steps.flatMap(({ outcome }) => (outcome.action === 'allow' ? [] : [outcome.refusal]));
  return [...bySteps, limits.rate, limits.connections].filter((refusal) => refusal !== undefined);
}

function lastWord(spec: FirewallSpec): Outcome {
  const policy = spec.policy ?? (spec.segments === undefined ? 'allow' : 'drop');
  if (policy === 'allow') return { action: 'allow' };
  const reason = spec.segments === undefined ? 'no rule allows it' : 'no segment holds both';
  return refuseBy(policy, 'last_word', `policy ${policy}: ${reason}`);
}

function refuseBy(action: 'drop' | 'reject', set: string, rule: string): Outcome {
  return { action, refusal: { set, cause: action === 'drop' ? 'filtered' : 'rejected', rule } };
}

function inWords({ action, from, to, port }: FirewallRule): string {
  return [
    action,
    ...(from === undefined ? [] : [`from ${from.join(', ')}`]),
    ...(to === undefined ? [] : [`to ${to.join(', ')}`]),
    ...(port === undefined ? [] : [`port ${port.lo === port.hi ? port.lo : `${port.lo}-${port.hi}`}`]),
  ].join(' ');
}

/** Names of nodes become the addresses of their hosts, CIDRs stay. */
function addressesOf(
  names: string[] | undefined,
  plan: Plan,
  of: (host: PlannedHost) => string[],
): string[] | undefined {
  return names?.flatMap((name) => (isCidr(name) ? [name] : plan.hosts.filter(({ node }) => node === name).flatMap(of)));
}

/** True for an address or a CIDR, which no node's name can be. */
export function isCidr(name: string): boolean {
  return /^\d/.test(name);
}

/** The addresses that connections of this host come from. */
function sourcesOf(host: PlannedHost): string[] {
  return host.interfaces.filter(({ name }) => name.startsWith('back')).flatMap(({ addresses }) => addresses);
}

/** The addresses that connections to this host go to. */
function destinationsOf(host: PlannedHost): string[] {
  return host.interfaces.filter(({ name }) => name.startsWith('front')).flatMap(({ addresses }) => addresses);
}
