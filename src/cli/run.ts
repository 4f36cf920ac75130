/** `portparty run`: builds the chain, drives the burst through it, prints what was lost and why, evaluates the gates. */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { collect, type MeasureFlags, measureSettings, wholeNumber, withMeasureOptions } from './measure-options.js';

interface RunFlags extends MeasureFlags {
  variant?: string[];
  trials?: number;
  keep?: boolean;
  baseline?: string;
  export?: string;
}

/** Adds the verb. Its exit codes are in docs/exit-codes.md. */
export function register(program: Command): void {
  withMeasureOptions(program.command('run'), 'run.json')
    .description('run a scenario: build the chain, drive it, say what was lost and why, evaluate the gates')
    .argument('<scenario>', 'scenario file (see `portparty list`)')
    .option('--variant <name>', 'run only this variant (repeatable)', collect)
    .option('--trials <n>', 'repeat every variant that often', wholeNumber)
    .option('--baseline <run>', "a run, or a file of `gate --save-baseline`, for gates such as 'dropped <= baseline'")
    .option(
      '--export <dir>',
      'write what each variant changes against the first one, as lines to paste (docs/export.md)',
    )
    .option('--keep', 'leave the chain up after each variant until Enter is pressed')
    .addHelpText(
      'after',
      `
Examples:
  $ portparty run scenarios/ticket-sale.yaml
  $ portparty run scenarios/ticket-sale.yaml --variant as-shipped --set topology.edge.ports=1024-65535
  $ portparty run my.yaml --trials 5 --json > run.json
  $ portparty run scenarios/proxy-without-keepalive.yaml --variant as-shipped --variant keepalive --export lines

Exit codes: 0 gates hold, 1 gates fail, 2 mistake in the command or scenario, 3 testbed trouble, 4 invalid measurement, 130 interrupted
`,
    )
    .action(async (file: string, flags: RunFlags) => {
      process.exitCode = await runCommand(file, flags);
    });
}

async function runCommand(file: string, flags: RunFlags): Promise<number> {
  const { loadScenario } = await import('../run/load-scenario.js');
  // Checked before anything is started, and on this side, where an editor's link to file:line:column still works.
  const scenario = await loadScenario(file, {
    set: flags.set,
    variants: flags.variant,
    trials: flags.trials,
    seed: flags.seed,
  });
  const exportTo = flags.export === undefined ? undefined : resolve(flags.export);
  if (exportTo !== undefined) {
    const { prepareExport } = await import('../run/export-variant.js');
    prepareExport(exportTo, scenario.variants);
  }
  const { readBaseline } = await import('../record/read-baseline.js');
  const options = {
    baseline: flags.baseline === undefined ? undefined : readBaseline(flags.baseline, flags.out),
    ...measureSettings(flags),
    keep: flags.keep === true,
    exportTo,
  };
  const { runWithDriver } = await import('../run/run-with-driver.js');
  return runWithDriver(scenario, flags.driver, options.quiet, async (ready) => {
    const { runAndPrint } = await import('../run/run-and-print.js');
    return runAndPrint(scenario, { ...options, ...ready });
  });
}
