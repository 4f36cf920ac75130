/** Whom a firewall refused, and by which rule: the sets that its rules fill, one per rule or limit, read after the run. */
import { judgementsOf, refusalsOf } from '../nodes/firewall/judgements.js';
import { FIREWALL_TABLE } from '../nodes/firewall/ruleset.js';
import type { Host } from '../testbed/host.js';
import type { Plan, PlannedHost } from '../topology/plan.js';
import { parseSynSets } from './forward-set.js';
import type { RefusedSyns } from './observations.js';

/** Reads the sets of a host that is a firewall; undefined for any other. */
export async function readRefusedSyns(
  host: Pick<Host, 'run'>,
  { spec }: PlannedHost,
  plan: Plan,
): Promise<RefusedSyns[] | undefined> {
  if (spec.kind !== 'firewall') return undefined;
  const { stdout } = await host.run(['nft', '-j', 'list', 'table', 'ip', FIREWALL_TABLE]);
  const sets = parseSynSets(stdout);
  return refusalsOf(judgementsOf(spec, plan)).map(({ set, cause, rule }) => ({
    cause,
    rule,
    syns: sets.get(set) ?? new Set(),
  }));
}
