/** `portparty tune`: tries settings, says which helps by how much and which changes nothing. */
import type { Command } from 'commander';
import type { TuneFlags } from '../run/tune-options.js';
import { collect, type MeasureFlags, measureSettings, wholeNumber, withMeasureOptions } from './measure-options.js';

type Flags = TuneFlags & MeasureFlags;

/** Adds the verb. Its exit codes are in docs/tune.md. */
export function register(program: Command): void {
  withMeasureOptions(program.command('tune'), 'tune.json')
    .summary('try settings, and say which one helps by how much')
    .description(
      'try settings in turn, those that are given or those that are proposed for what is lost, and say which one helps by how much and which changes nothing',
    )
    .argument('<scenario>', 'scenario file (see `portparty list`)')
    .option(
      '--try <path=value>',
      "a setting to try, as --set takes it; 'a=1 b=2' tries both together (repeatable; without it settings are proposed)",
      collect,
    )
    .option(
      '--metric <name>',
      'what is to become better, as gates name it (dropped, or where nothing is, the response p99)',
    )
    .option('--trials <n>', 'trials per setting (as many as it takes to show anything)', wholeNumber)
    .option('--most <n>', 'try at most so many proposals', wholeNumber, 6)
    .option('--variant <name>', 'the variant to start from; the first one unless said otherwise')
    .option('--export <dir>', 'write the winner as lines to paste here too (docs/export.md)')
    .addHelpText(
      'after',
      `
Examples:
  $ portparty tune scenarios/ticket-sale.yaml
  $ portparty tune my.yaml --try topology.edge.addresses=2 --try 'topology.proxy.keepalive=64 topology.proxy.workers=4' --trials 8

Exit codes: 0 a setting helps (or nothing is lost), 1 none was shown to help, 2 mistake in the command or scenario, 3 testbed trouble, 4 invalid measurement, 130 interrupted
`,
    )
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await tuneCommand(file, flags);
    });
}

async function tuneCommand(file: string, flags: Flags): Promise<number> {
  const { readTuneOptions } = await import('../run/tune-options.js');
  // As in `run`: whatever is wrong is told before anything is started.
  const { scenario, tuning } = await readTuneOptions(file, flags);
  const options = measureSettings(flags);
  const { runWithDriver } = await import('../run/run-with-driver.js');
  return runWithDriver(scenario, flags.driver, options.quiet, async (ready) => {
    const { tuneAndPrint } = await import('../run/tune-and-print.js');
    return tuneAndPrint(scenario, tuning, { ...options, ...ready });
  });
}
