/** `portparty tune` from the loaded scenario on: tries settings with a driver, prints the result, gives the exit code. */
import { join } from 'node:path';
import type { ExitCode } from '../errors.js';
import { showProgress } from '../report/progress.js';
import { terminalOptions } from '../report/terminal.js';
import { renderTune } from '../report/tune-text.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Engine } from '../traffic/engine.js';
import { exitCodeOf } from './exit-code-of.js';
import { planPlacement } from './pin.js';
import type { WithDriver } from './run-with-driver.js';
import { type Tuning, tune } from './tune.js';

/** What the command line asks for beside the tuning, and what the process that runs it has. */
export interface TuneAndPrintOptions extends WithDriver {
  outDir: string;
  engine: Engine['name'] | undefined;
  /** Each part keeps to cores of its own. */
  pin: boolean;
  json: boolean;
  quiet: boolean;
}

/**
 * Prints the result on stdout, progress and remarks on stderr, and gives the exit code that the record stands for.
 * Throws a PortPartyError (exit 2 or 3) where a setting is wrong or a trial cannot be run.
 */
export async function tuneAndPrint(
  scenario: Scenario,
  tuning: Tuning,
  options: TuneAndPrintOptions,
): Promise<ExitCode> {
  const progress = showProgress(process.stderr, options.quiet, scenario.name);
  const tell = (text: string) => {
    progress.done();
    if (!options.quiet) process.stderr.write(`${text}\n`);
  };
  const told = new Set<string>();
  try {
    const driver = options.driver(progress.line);
    const placement = options.pin ? planPlacement(driver.name) : undefined;
    const { record, dir } = await tune(scenario, tuning, {
      outDir: options.outDir,
      driver,
      placement,
      driverReason: options.driverReason,
      engine: options.engine,
      interrupt: options.interrupt,
      onProgress: progress.phase,
      onTrial: (_, trial) => progress.trial(trial),
      onStep: tell,
      onRemark: (text) => tell(`note: ${text}`),
      onAhead(text) {
        // The look and the trials are runs of their own, and the variant to start from is in both.
        if (!told.has(text)) tell(`note: ${text}`);
        told.add(text);
      },
    });
    progress.done();
    process.stdout.write(
      options.json ? `${JSON.stringify(record, null, 2)}\n` : renderTune(record, terminalOptions(process.stdout)),
    );
    if (tuning.exportTo !== undefined && record.exported.length === 0)
      process.stderr.write('note: nothing to export: no setting was shown to help\n');
    if (record.exported.length > 0) tell(`lines to paste: ${tuning.exportTo ?? join(dir, 'export')}`);
    tell(`record: ${dir}`);
    return exitCodeOf(record);
  } finally {
    progress.done();
  }
}
