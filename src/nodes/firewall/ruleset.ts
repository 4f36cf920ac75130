/** A firewall's judgements as text for `nft -f`: one chain that judges new connections, and a set per refusal that notes their SYNs. */
import type { FirewallSpec } from '../firewall.js';
import { type Judgement, type Judgements, type Match, type Refusal, refusalsOf } from './judgements.js';

/** Table of the rules and of the sets that note whom they met. */
export const FIREWALL_TABLE = 'portparty_firewall';
/** SYNs that a set can hold; further ones are refused but not noted. */
const REFUSAL_SET_SIZE = 200_000;
/** Source addresses that a limit can count. */
const SOURCES = 65_535;

/**
 * Renders the rules. Packets of connections that were let in pass, in either direction; what belongs to none (after its entry
 * is gone, where mid-stream pick-up is off) is dropped. A limit is asked once per new connection, after the rules: a scan that
 * they drop takes nothing from the visitors' share.
 */
export function renderRuleset(spec: FirewallSpec, judgements: Judgements): string {
  const { limits, steps } = judgements;
  const refusals = refusalsOf(judgements);
  const parts = [
    ...refusals.map(({ set }) => synSet(set)),
    ...(limits.rate === undefined ? [] : [sourceSet('rates')]),
    ...(limits.connections === undefined ? [] : [sourceSet('sources')]),
    ...refusals.map((refusal) => refusalChain(refusal, actionOf(spec, judgements, refusal))),
    chain('admit', [...limitRules(spec, limits), 'accept']),
    chain('judge', [
      'type filter hook forward priority filter; policy accept;',
      'ct state established,related accept',
      'ct state invalid drop',
      ...steps.map(stepRule),
    ]),
  ];
  return `table ip ${FIREWALL_TABLE} {\n${parts.join('\n')}\n}\n`;
}

function chain(name: string, lines: string[]): string {
  return `  chain ${name} {\n${lines.map((line) => `    ${line}\n`).join('')}  }`;
}

function limitRules(spec: FirewallSpec, { rate, connections }: Judgements['limits']): string[] {
  const rules: string[] = [];
  if (rate !== undefined && spec.rateLimit !== undefined) {
    const limit = `limit rate over ${nftRate(spec.rateLimit.rate)} burst ${Math.max(1, spec.rateLimit.burst)} packets`;
    rules.push(`tcp flags & (syn | ack) == syn add @rates { ip saddr ${limit} } goto ${chainOf(rate)}`);
  }
  if (connections !== undefined)
    rules.push(`add @sources { ip saddr ct count over ${spec.connectionsPerSource} } goto ${chainOf(connections)}`);
  return rules;
}

const chainOf = ({ set }: Refusal) => `refuse_${set}`;

function synSet(name: string): string {
  return `  set ${name} {
    typeof ip saddr . tcp sequence
    flags dynamic
    size ${REFUSAL_SET_SIZE}
  }`;
}

function sourceSet(name: string): string {
  return `  set ${name} {
    typeof ip saddr
    flags dynamic
    size ${SOURCES}
  }`;
}

/** A set that is full ends the rule that adds to it, so the refusal is a rule of its own. */
function refusalChain(refusal: Refusal, action: 'drop' | 'reject'): string {
  const verdict = action === 'drop' ? ['drop'] : ['meta l4proto tcp reject with tcp reset', 'reject'];
  const note = `tcp flags & (syn | ack) == syn add @${refusal.set} { ip saddr . tcp sequence }`;
  return chain(chainOf(refusal), [note, ...verdict]);
}

function actionOf(spec: FirewallSpec, { steps }: Judgements, refusal: Refusal): 'drop' | 'reject' {
  for (const { outcome } of steps) if (outcome.action !== 'allow' && outcome.refusal === refusal) return outcome.action;
  return spec.overLimit;
}

function stepRule({ match, outcome }: Judgement): string {
  const to = outcome.action === 'allow' ? 'goto admit' : `goto ${chainOf(outcome.refusal)}`;
  return matchExpression(match) + to;
}

function matchExpression({ from, to, ports }: Match): string {
  const oneOf = (addresses: string[]) => (addresses.length === 1 ? addresses[0] : `{ ${addresses.join(', ')} }`);
  return [
    ...(from === undefined ? [] : [`ip saddr ${oneOf(from)} `]),
    ...(to === undefined ? [] : [`ip daddr ${oneOf(to)} `]),
    ...(ports === undefined ? [] : [`tcp dport ${ports.lo === ports.hi ? ports.lo : `${ports.lo}-${ports.hi}`} `]),
  ].join('');
}

/** nftables knows whole numbers per second, minute or hour. */
function nftRate(perSecond: number): string {
  if (Number.isInteger(perSecond)) return `${perSecond}/second`;
  const perMinute = perSecond * 60;
  return Number.isInteger(perMinute) ? `${perMinute}/minute` : `${Math.max(1, Math.round(perSecond * 3600))}/hour`;
}
