/** Removes what runs that were killed left behind: with either driver, and in the folder of results. */
import { PortPartyError } from '../errors.js';
import { connectDaemon } from './docker/daemon.js';
import { findThings } from './docker/leftovers.js';
import { removeThing } from './docker/removal.js';
import { findLeftovers } from './netns/leftovers.js';

/** One thing that was left over. */
export interface CleanedUp {
  what: string;
  name: string;
  why: string;
  /** False after a dry run, and where it could not be removed. */
  removed: boolean;
}

/** What was looked for, and what has become of it. */
export interface CleanUp {
  found: CleanedUp[];
  /** Processes of runs that are under way here; their files are left alone. */
  underWay: number[];
  /** How many things on the daemon belong to runs on other machines; they are left alone. */
  elsewhere: number;
  /** `cleaned`, or why there is no daemon to ask. */
  docker: string;
}

/** `results` is the folder of the records; with `dryRun` everything is found and nothing removed. */
export async function cleanUp(results: string, { dryRun }: { dryRun: boolean }): Promise<CleanUp> {
  const { found, underWay } = findLeftovers(results);
  const here = found.map(({ what, name, why, remove }) => ({ what, name, why, removed: !dryRun && attempt(remove) }));
  const daemon = await cleanDaemon(dryRun);
  return { found: [...here, ...daemon.found], underWay, elsewhere: daemon.elsewhere, docker: daemon.state };
}

async function cleanDaemon(dryRun: boolean): Promise<{ found: CleanedUp[]; elsewhere: number; state: string }> {
  try {
    const daemon = await connectDaemon();
    const { gone, elsewhere } = await findThings(daemon);
    const found: CleanedUp[] = [];
    for (const thing of gone) {
      const removed =
        !dryRun &&
        (await removeThing(daemon.docker, thing).then(
          () => true,
          () => false,
        ));
      found.push({ what: thing.what, name: thing.name, why: 'of a run that was killed', removed });
    }
    return { found, elsewhere: elsewhere.length, state: 'cleaned' };
  } catch (error) {
    if (!(error instanceof PortPartyError)) throw error;
    return { found: [], elsewhere: 0, state: error.message };
  }
}

function attempt(remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch {
    return false;
  }
}
