/** `portparty clean`: removes what an earlier run may have left behind. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode } from '../errors.js';

interface CleanOptions {
  out: string;
  dryRun?: boolean;
  json?: boolean;
}

/** Adds the verb. Exit 3 where something is left over that could not be removed. */
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
  const { cleanUp } = await import('../testbed/clean-up.js');
  const { found, underWay, elsewhere, docker } = await cleanUp(out, { dryRun: dryRun === true });
  const failed = !dryRun && found.some((one) => !one.removed);
  if (json) {
    console.log(JSON.stringify({ found, underWay, docker }, null, 2));
    return failed ? ExitCode.testbed : ExitCode.ok;
  }
  for (const { what, name, why, removed } of found) {
    const mark = dryRun ? '–' : removed ? pc.green('✓') : pc.red('✗');
    console.log(`${mark} ${what} ${name}: ${why}${dryRun || removed ? '' : '; it could not be removed'}`);
  }
  if (underWay.length > 0)
    console.log(`A run is under way (process ${underWay.join(', ')}): its files are left alone.`);
  if (elsewhere > 0)
    console.log(
      `${elsewhere} containers, networks and volumes on the daemon are of runs on other machines: left alone.`,
    );
  if (docker !== 'cleaned') console.log(`No Docker daemon was asked: ${docker}`);
  if (found.length === 0) console.log('Nothing is left over.');
  return failed ? ExitCode.testbed : ExitCode.ok;
}
