/** A firewall's rules as nftables gets them. */
import { describe, expect, it } from 'vitest';
import { judgementsOf, refusalsOf } from '../../src/nodes/firewall/judgements.js';
import { renderRuleset } from '../../src/nodes/firewall/ruleset.js';
import { firewall } from '../../src/nodes/firewall.js';
import { nodeSchema } from '../../src/nodes/registry.js';
import type { ScenarioVariant } from '../../src/scenario/scenario.js';
import { makePlan } from '../../src/topology/make-plan.js';

/** What decides at `fence` in buyers (2 hosts), office -> fence -> shop (2 hosts). */
function fence(knobs: object) {
  const spec = firewall.knobs.parse({ to: 'shop', ...knobs });
  const topology = {
    buyers: nodeSchema.parse({ kind: 'client', hosts: 2, to: 'fence' }),
    office: nodeSchema.parse({ kind: 'client', to: 'fence' }),
    fence: { kind: 'firewall' as const, ...spec },
    shop: nodeSchema.parse({ kind: 'fixed', hosts: 2 }),
  };
  const judgements = judgementsOf(spec, makePlan({ topology } as unknown as ScenarioVariant));
  const text = renderRuleset(spec, judgements);
  const judge = text.slice(text.indexOf('chain judge'));
  return { rules: refusalsOf(judgements).map(({ cause, rule }) => `${cause}: ${rule}`), judge, text };
}

describe('the rules of a firewall', () => {
  it('let everybody in when there are none', () => {
    const { rules, judge } = fence({});
    expect(rules).toEqual([]);
    expect(judge).toMatch(/ct state invalid drop\n {4}goto admit\n/);
  });

  it('are asked in order, with the addresses of the nodes that they name', () => {
    const { rules, judge } = fence({
      rules: [
        { action: 'allow', from: 'office' },
        { action: 'drop', from: ['buyers', '198.18.9.0/24'], to: 'shop', port: '1-79' },
        { action: 'reject', port: 22 },
      ],
    });
    expect(rules).toEqual([
      'filtered: rules[1]: drop from buyers, 198.18.9.0/24 to shop port 1-79',
      'rejected: rules[2]: reject port 22',
    ]);
    const lines = judge.split('\n').map((line) => line.trim());
    expect(lines.slice(4, 8)).toEqual([
      'ip saddr 198.18.0.5 goto admit',
      'ip saddr { 198.18.0.3, 198.18.0.4, 198.18.9.0/24 } ip daddr { 198.18.0.18, 198.18.0.19 } tcp dport 1-79 goto refuse_rule_1',
      'tcp dport 22 goto refuse_rule_2',
      'goto admit',
    ]);
  });

  it('note a SYN before they refuse it, by a rule of its own: a full set must not open the door', () => {
    const { text } = fence({ rules: [{ action: 'reject' }] });
    expect(text).toMatch(
      /chain refuse_rule_0 \{\n.*add @rule_0 \{ ip saddr \. tcp sequence \}\n.*reject with tcp reset\n {4}reject\n/,
    );
  });

  it('refuse what no segment holds, and what they name themselves goes first', () => {
    const { rules, judge } = fence({
      rules: [{ action: 'drop', port: 22 }],
      segments: { buyers: ['shop'] },
      policy: 'reject',
    });
    expect(rules).toEqual(['filtered: rules[0]: drop port 22', 'rejected: policy reject: no segment holds both']);
    expect(judge).toMatch(
      /goto refuse_rule_0\n.*198\.18\.0\.3, 198\.18\.0\.4.*goto admit\n {4}goto refuse_last_word\n/,
    );
  });

  it('count sources only for those whom they let in', () => {
    const { rules, text } = fence({
      connectionsPerSource: 20,
      rateLimit: { rate: '90/m', burst: 4 },
      overLimit: 'reject',
    });
    expect(rules).toEqual([
      'throttled: rateLimit: 1.5/s and 4 at once per source',
      'connection-limit: connectionsPerSource: 20',
    ]);
    expect(text).toMatch(/limit rate over 90\/minute burst 4 packets \} goto refuse_over_rate\n/);
    expect(text).toMatch(/ct count over 20 \} goto refuse_over_connections\n {4}accept\n/);
  });
});
