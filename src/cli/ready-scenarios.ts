/** The scenarios that come with the package, ready to run. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadScenario } from '../run/load-scenario.js';
import type { Scenario } from '../scenario/scenario.js';

/** The package's folder of ready scenarios. */
const READY_SCENARIOS = fileURLToPath(new URL('../../scenarios/', import.meta.url));

/**
 * All scenarios of a folder, by file name; none when there is no such folder.
 * @throws PortPartyError (exit 2) when one of them is wrong
 */
export async function readyScenarios(folder: string = READY_SCENARIOS): Promise<Scenario[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const files = names.filter((name) => /\.ya?ml$/.test(name)).sort();
  return Promise.all(files.map((name) => loadScenario(join(folder, name))));
}
