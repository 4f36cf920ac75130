/**
 * The SYNs that a gateway was willing to forward: an nftables set filled by the forward chain, before translation.
 * A SYN in the set that never left the gateway found no free port; one that is not
 * in it met a full table or a rule, unless the set was full.
 */
import type { Host } from '../testbed/host.js';
import { type SynTable, synTableOf } from './syn-table.js';

const TABLE = 'portparty_observe';
const SET = 'forwarded';
/** SYNs that the set can hold; further ones are forwarded but not noted, and the table that is read says that it was full. */
const FORWARD_SET_SIZE = 500_000;

/** Rules for `nft -f`; loading them again empties the set. */
export function forwardSetRules(): string {
  return `table ip ${TABLE} {}
delete table ip ${TABLE}
table ip ${TABLE} {
  set ${SET} {
    typeof ip saddr . tcp sequence
    flags dynamic
    size ${FORWARD_SET_SIZE}
  }
  chain after_filter {
    type filter hook forward priority 200; policy accept;
    tcp flags & (syn | ack) == syn add @${SET} { ip saddr . tcp sequence }
  }
}
`;
}

/** Reads the set: the SYNs that reached the forward chain, with the address before translation: all of them, or as many as it holds (`full`). */
export async function readForwardSet(host: Pick<Host, 'run'>): Promise<SynTable> {
  const { stdout } = await host.run(['nft', '-j', 'list', 'set', 'ip', TABLE, SET]);
  const table = synTableOf(parseForwardSet(stdout));
  return table.keys.length < FORWARD_SET_SIZE ? table : { ...table, full: true };
}

interface Listed {
  name: string;
  elem?: ({ concat: [string, number] } | { elem: { val: { concat: [string, number] } } })[];
}

/** The JSON of `nft -j list set` as `address:sequence`. */
export function parseForwardSet(json: string): Set<string> {
  return [...parseSynSets(json).values()][0] ?? new Set();
}

/** The JSON of `nft -j list …` as `address:sequence`, by set; sets of anything else are left out. */
export function parseSynSets(json: string): Map<string, Set<string>> {
  const { nftables } = JSON.parse(json) as { nftables: { set?: Listed & { type?: string | string[] } }[] };
  return new Map(
    nftables.flatMap(({ set }): [string, Set<string>][] => {
      if (set === undefined || typeof set.type === 'string') return [];
      return [[set.name, new Set((set.elem ?? []).map(synName))]];
    }),
  );
}

function synName(element: NonNullable<Listed['elem']>[number]): string {
  const [address, sequence] = 'concat' in element ? element.concat : element.elem.val.concat;
  return `${address}:${sequence}`;
}
