/** `portparty clean`: removes what an earlier run may have left behind. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode } from '../errors.js';

interface CleanOptions {
  out: string;
  dryRun?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('clean')
    .description(
      'remove leftovers of earlier runs: processes without a parent, half-written files; finished runs are kept',
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
  const results = found.map(({ what, name, why, remove }) => ({
    what,
    name,
    why,
    removed: !dryRun && attempt(remove),
  }));
  const failed = !dryRun && results.some((one) => !one.removed);
  if (json) {
    console.log(JSON.stringify({ found: results, underWay }, null, 2));
    return failed ? ExitCode.testbed : ExitCode.ok;
  }
  for (const { what, name, why, removed } of results) {
    const mark = dryRun ? '–' : removed ? pc.green('✓') : pc.red('✗');
    console.log(`${mark} ${what} ${name}: ${why}${dryRun || removed ? '' : '; it could not be removed'}`);
  }
  if (underWay.length > 0)
    console.log(`A run is under way (process ${underWay.join(', ')}): its files are left alone.`);
  if (found.length === 0) console.log('Nothing is left over.');
  return failed ? ExitCode.testbed : ExitCode.ok;
}

function attempt(remove: () => void): boolean {
  try {
    remove();
    return true;
  } catch {
    return false;
  }
}
