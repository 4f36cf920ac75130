/** The rules of a NAT gateway as commands of iptables(8), for gateways that have no nftables rules of their own. */
import { changesIn } from './difference.js';
import { headLines, type Part } from './part.js';
import type { FilePair } from './product.js';
import { type Notation, ruleDifference, withOwnValues } from './rules.js';

const SHELL: Notation = {
  define: (name, value, remark) => `${name}=${value.replaceAll('"', '')}  # ${remark}`,
  use: (name) => `"$${name}"`,
};

const RULE =
  /^oifname (?<outside>\S+) ip protocol tcp (?:ip saddr (?<source>\S+) )?(?:numgen inc mod (?<turns>\d+) 0 )?(?:snat to (?<address>[^:\s]+):(?<ports>[\d-]+)|masquerade to :(?<masqueraded>[\d-]+))(?: (?<allocation>fully-random|random))?$/;

/** The same translation as the nft file; undefined where nothing changed, or where a rule has no such form. */
export function iptablesPart(node: string, pair: FilePair): Part | undefined {
  const rules = ruleDifference(pair);
  const changes = changesIn(rules);
  const { defines, statements } = withOwnValues(node, rules, pair, SHELL);
  const commands = statements
    .filter(({ mark, text }) => mark !== 'gone' && !text.startsWith('type nat hook'))
    .map(({ text, mark }) => ({ mark, command: commandOf(text) }));
  if (changes === 0 || commands.some(({ command }) => command === undefined)) return undefined;
  const name = `nat-${node}.iptables.sh`;
  return {
    name,
    node,
    about: 'the same rules for iptables, as a script',
    changes: 0,
    render(context) {
      const hints = [
        'Takes the place of the rules of this kind that you have: iptables -t nat -S POSTROUTING lists them.',
      ];
      const gone = statements.filter(({ mark }) => mark === 'gone').map(({ text }) => `# was, in nft: ${text}`);
      const lines = commands.map(({ mark, command }) => `${command}${mark === 'new' ? `  # ${context.comment}` : ''}`);
      const head = `#!/bin/sh\n${headLines(node, context, hints)}set -e`;
      return { name, text: `${[head, ...defines, ...gone, ...lines].join('\n')}\n` };
    },
  };
}

/** Several addresses take turns by counting, as in nft: the first rule takes one in n, the next one in n - 1 of the rest. */
function commandOf(rule: string): string | undefined {
  const parts = RULE.exec(rule)?.groups;
  if (parts === undefined) return undefined;
  const { outside, source, turns, address, ports, masqueraded, allocation } = parts;
  return [
    `iptables -t nat -A POSTROUTING -o ${outside} -p tcp`,
    source === undefined ? '' : ` -s ${source}`,
    turns === undefined ? '' : ` -m statistic --mode nth --every ${turns} --packet 0`,
    address === undefined ? ` -j MASQUERADE --to-ports ${masqueraded}` : ` -j SNAT --to-source ${address}:${ports}`,
    allocation === undefined ? '' : allocation === 'random' ? ' --random' : ' --random-fully',
  ].join('');
}
