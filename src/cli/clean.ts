/** `portparty clean`: removes what an earlier run may have left behind. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode, PortPartyError } from '../errors.js';

interface CleanOptions {
  out: string;
  dryRun?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('clean')
    .description(
      'remove leftovers of earlier runs: processes without a parent, containers and networks of runs that were killed, half-written files; finished runs are kept',
    )
    .option('--out <dir>', 'the folder of results', 'results')
    .option('-n, --dry-run', 'only say what would be removed')
    .option('--json', 'print what was found as JSON on stdout')
    .addHelpText('after', '\nExample:\n  $ portparty clean --dry-run\n')
    .action(async (options: CleanOptions) => {
      process.exitCode = await clean(options);
    });
}

async function clean({ out, dryRun, json }: CleanOptions): Promise<number> {
  const { findLeftovers } = await import('../testbed/netns/leftovers.js');
  const { found, underWay } = findLeftovers(out);
  const results: Result[] = found.map(({ what, name, why, remove }) => ({
    what,
    name,
    why,
    removed: !dryRun && attempt(remove),
  }));
  const daemon = await cleanDaemon(dryRun === true);
  results.push(...daemon.results);
  const failed = !dryRun && results.some((one) => !one.removed);
  if (json) {
    console.log(JSON.stringify({ found: results, underWay, docker: daemon.state }, null, 2));
    return failed ? ExitCode.testbed : ExitCode.ok;
  }
  for (const { what, name, why, removed } of results) {
    const mark = dryRun ? '–' : removed ? pc.green('✓') : pc.red('✗');
    console.log(`${mark} ${what} ${name}: ${why}${dryRun || removed ? '' : '; it could not be removed'}`);
  }
  if (underWay.length > 0)
    console.log(`A run is under way (process ${underWay.join(', ')}): its files are left alone.`);
  if (daemon.elsewhere > 0)
    console.log(
      `${daemon.elsewhere} containers, networks and volumes on the daemon are of runs on other machines: left alone.`,
    );
  if (daemon.state !== 'cleaned') console.log(`No Docker daemon was asked: ${daemon.state}`);
  if (results.length === 0) console.log('Nothing is left over.');
  return failed ? ExitCode.testbed : ExitCode.ok;
}

interface Result {
  what: string;
  name: string;
  why: string;
  removed: boolean;
}

/** Removes what killed runs left on the Docker daemon. `state` is `cleaned`, or why there is no daemon to ask. */
async function cleanDaemon(dryRun: boolean): Promise<{ results: Result[]; elsewhere: number; state: string }> {
  const { connectDaemon } = await import('../testbed/docker/daemon.js');
  const { findThings } = await import('../testbed/docker/leftovers.js');
  const { removeThing } = await import('../testbed/docker/removal.js');
  try {
    const daemon = await connectDaemon();
    const { gone, elsewhere } = await findThings(daemon);
    const results: Result[] = [];
    for (const thing of gone) {
      const removed =
        !dryRun &&
        (await removeThing(daemon.docker, thing).then(
          () => true,
          () => false,
        ));
      results.push({ what: thing.what, name: thing.name, why: 'of a run that was killed', removed });
    }
    return { results, elsewhere: elsewhere.length, state: 'cleaned' };
  } catch (error) {
    if (!(error instanceof PortPartyError)) throw error;
    return { results: [], elsewhere: 0, state: error.message };
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
