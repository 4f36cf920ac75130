/** `portparty capacity`: searches the highest load at which the gates hold, and says what stands in the way of more. */
import { type Command, Option } from 'commander';
import type { CapacityFlags } from '../run/capacity-options.js';
import { collect, type MeasureFlags, measureSettings, wholeNumber, withMeasureOptions } from './measure-options.js';

interface Flags extends CapacityFlags, MeasureFlags {
  variant?: string;
}

/** Adds the verb. Its exit codes are in docs/capacity.md. */
export function register(program: Command): void {
  withMeasureOptions(program.command('capacity'), 'capacity.json')
    .summary('search the highest load at which the gates hold')
    .description(
      'search the highest arrival rate (or number of connections, or of visitors) at which the gates hold, and name the resource that ends it',
    )
    .argument('<scenario>', 'scenario file (see `portparty list`)')
    .addOption(
      new Option('--of <what>', 'visitors per second, connections held at once, or visitors of the whole burst')
        .choices(['rate', 'connections', 'visitors'])
        .default('rate'),
    )
    .option('--need <level>', 'what the chain is to carry, e.g. 900/s (rate) or 900; exit 1 when it does not')
    .option('--gate <gate>', "hold trials against this gate instead of the scenario's (repeatable)", collect)
    .option('--from <level>', "the first level; the scenario's own unless said otherwise")
    .option('--up-to <level>', 'the highest level to try')
    .option('--resolution <share>', 'how closely to search', '0.5%')
    .option('--repeat <n>', 'trials at a level that decides; the majority counts', wholeNumber, 3)
    .option(
      '--for <time>',
      'how long a trial is judged (5s, or four visits where these are longer; of connections, how long they are held: 1s)',
    )
    .addOption(
      new Option('--process <name>', 'how arrivals spread (uniform; of visitors as the scenario has it)').choices([
        'uniform',
        'poisson',
      ]),
    )
    .option('--max <n>', 'at most so many trials', wholeNumber, 60)
    .option('--budget <time>', 'begin no trial that would end later', '20m')
    .option('--variant <name>', 'which variant; needed where there are several')
    .addHelpText(
      'after',
      `
Examples:
  $ portparty capacity scenarios/ticket-sale.yaml --variant as-shipped
  $ portparty capacity my.yaml --need 900/s --gate 'droppedShare < 0.1%' --gate 'latency.response.p99 < 250ms'
  $ portparty capacity my.yaml --of connections --json > capacity.json

Exit codes: 0 done, and the need is met, 1 it is not, 2 mistake in the command or scenario, 3 testbed trouble, 4 too little could be measured, 130 interrupted
`,
    )
    .action(async (file: string, flags: Flags) => {
      process.exitCode = await capacityCommand(file, flags);
    });
}

async function capacityCommand(file: string, flags: Flags): Promise<number> {
  const { loadScenario } = await import('../run/load-scenario.js');
  const { readCapacityOptions } = await import('../run/capacity-options.js');
  const variants = flags.variant === undefined ? undefined : [flags.variant];
  const scenario = await loadScenario(file, { set: flags.set, variants, seed: flags.seed });
  // As in `run`: whatever is wrong is told before anything is started.
  const search = readCapacityOptions(scenario, flags);
  const options = measureSettings(flags);
  const { runWithDriver } = await import('../run/run-with-driver.js');
  return runWithDriver(scenario, flags.driver, options.quiet, async (ready) => {
    const { capacityAndPrint } = await import('../run/capacity-and-print.js');
    return capacityAndPrint(scenario, search, { ...options, ...ready });
  });
}
