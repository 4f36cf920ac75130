/** The versions of the daemons of a run, as they tell them themselves. */
import { kindOf } from '../nodes/registry.js';
import type { Testbed } from '../testbed/host.js';

/** Asks the daemons of a testbed that is up for their versions, once per kind, and notes them. */
export function versionNotes(versions: Record<string, string>): (testbed: Testbed) => Promise<void> {
  const asked = new Set<string>();
  return async ({ plan, hosts }) => {
    for (const { name, spec } of plan.hosts) {
      const { version } = kindOf(spec.kind);
      if (version === undefined || spec.image !== undefined || asked.has(spec.kind)) continue;
      asked.add(spec.kind);
      // A daemon that does not answer this will say more when it is started.
      const told = await hosts
        .get(name)!
        .run(version.argv)
        .catch(() => undefined);
      const found = /\d+(\.\d+)+/.exec(`${told?.stdout}${told?.stderr}`);
      if (found !== null) versions[version.name] = found[0];
    }
  };
}
