/** The rules of a gateway or firewall as a file that nft(8) loads, whole, with the changed ones marked. */
import { FIREWALL_TABLE } from '../../nodes/firewall/ruleset.js';
import { changesIn, difference, type MarkedStatement } from './difference.js';
import { headLines, type Part } from './part.js';
import { printStatements } from './print.js';
import type { FilePair } from './product.js';
import { type Statement, statementsOf } from './statements.js';

/** Interface of the testbed's hosts towards the next hop. */
const OUTSIDE = '"back0"';

/** How a value that every reader must set for themselves is written, where it is set and where it is used. */
export interface Notation {
  /** The line that sets it, with a remark in a comment. */
  define(name: string, value: string, remark: string): string;
  /** How it is written in a rule. */
  use(name: string): string;
}

const NFT: Notation = {
  define: (name, value, remark) => `define ${name} = ${value}  # ${remark}`,
  use: (name) => `$${name}`,
};

/** The rules of both variants, without the testbed's own. */
export function ruleDifference(pair: FilePair): MarkedStatement[] {
  const [old, now] = [pair.base, pair.variant].map(({ text, addresses }) =>
    withoutTestbed(statementsOf(addresses.hide(text ?? ''), 'braces')),
  );
  // Rules are told apart by what they match; of an order of rules nobody can say which took which one's place.
  return difference(old, now, (text) => text.replace(/ (snat|masquerade) to .*$/, ''));
}

/** Rules that only note the SYNs they meet, for the ledger, and the sets that they are noted in. */
function withoutTestbed(statements: Statement[]): Statement[] {
  const isNote = ({ text }: Statement) => text.includes('{ ip saddr . tcp sequence }');
  const sets = new Set(
    statements.filter(({ text }) => text === 'typeof ip saddr . tcp sequence').map(({ blocks }) => blocks.at(-1)?.id),
  );
  return statements.filter(
    (statement) =>
      TABLES.has(statement.blocks[0]?.head) && !sets.has(statement.blocks.at(-1)?.id) && !isNote(statement),
  );
}

/** Beside them is the table of the taps. */
const TABLES = new Set(['table ip portparty_nat', `table ip ${FIREWALL_TABLE}`]);

/** What changed in the rules; undefined where nothing did. */
export function rulesPart(node: string, kind: 'nat' | 'firewall', pair: FilePair): Part | undefined {
  const rules = ruleDifference(pair);
  const changes = changesIn(rules);
  if (changes === 0) return undefined;
  const name = `${kind}-${node}.nft`;
  return {
    name,
    node,
    about: `all rules of it, for \`nft -f ${name}\``,
    changes,
    render(context) {
      const { defines, statements } = withOwnValues(node, rules, pair, NFT);
      const table = rules[0].blocks[0].head;
      const hints = [
        `Load it with: nft -f ${name}. What is marked has changed; the rest belongs to it.`,
        ...(kind === 'firewall'
          ? [
              'There is no iptables form of it: limits per source and chains like these are sets of nftables.',
              'Addresses from 198.18.0.0/15 are those of the testbed: put your own in their place.',
            ]
          : []),
      ];
      const again = [`${table} {}`, `delete ${table}`];
      const body = printStatements(
        statements,
        { syntax: 'braces', comments: 'behind' },
        context.comment,
        knownBlocks(rules),
      );
      const text = [headLines(node, context, hints), ...defines, ...again].join('\n');
      return { name, text: `${text}\n${body}` };
    },
  };
}

/** No block of a file that is loaded whole is the reader's own, so none is marked. */
const knownBlocks = (rules: MarkedStatement[]) => new Set(rules.flatMap(({ blocks }) => blocks.map(({ id }) => id)));

/** Replaces the testbed's interface, and the addresses of a gateway, by names that are set once. */
export function withOwnValues(
  node: string,
  rules: MarkedStatement[],
  { base, variant }: FilePair,
  { define, use }: Notation,
): { defines: string[]; statements: MarkedStatement[] } {
  const { show } = variant.addresses;
  const defines: string[] = [];
  const names = new Map<string, string>();
  const text = rules.flatMap(({ text, mark }) => (mark === 'gone' ? [] : [text])).join('\n');
  if (text.includes(OUTSIDE)) {
    defines.push(define('outside', '"eth0"', 'your interface towards the servers'));
    names.set(OUTSIDE, use('outside'));
  }
  let own = 0;
  for (const [hidden, owner] of text.matchAll(/<<([^<>]+)>>/g)) {
    if (names.has(hidden) || !owner.startsWith(`${node}[`)) continue;
    const name = `address_${++own}`;
    defines.push(define(name, show(hidden), "the testbed's address, put your own"));
    names.set(hidden, use(name));
  }
  const replaced = (words: string) => show([...names].reduce((done, [from, to]) => done.replaceAll(from, to), words));
  const statements = rules.map((rule) => ({
    ...rule,
    // What went away was at the base's addresses.
    text: rule.mark === 'gone' ? base.addresses.show(rule.text).replace(OUTSIDE, use('outside')) : replaced(rule.text),
  }));
  return { defines, statements };
}
