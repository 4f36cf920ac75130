/** `portparty capacity` from the loaded scenario on: searches with a driver, tells how far it is, prints the result, gives the exit code. */
import type { ExitCode } from '../errors.js';
import { levelText, renderCapacity, trialText } from '../report/capacity-text.js';
import { showProgress } from '../report/progress.js';
import { terminalOptions } from '../report/terminal.js';
import { endsAbout } from '../report/time-left.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Engine } from '../traffic/engine.js';
import { type CapacitySearch, searchCapacity } from './capacity.js';
import { exitCodeOf } from './exit-code-of.js';
import { planPlacement } from './pin.js';
import type { WithDriver } from './run-with-driver.js';

/** What the command line asks for beside the search, and what the process that runs it has. */
export interface CapacityAndPrintOptions extends WithDriver {
  outDir: string;
  engine: Engine['name'] | undefined;
  /** Each part keeps to cores of its own. */
  pin: boolean;
  json: boolean;
  quiet: boolean;
}

/**
 * Prints the result on stdout, progress and remarks on stderr, and gives the exit code that the record stands for.
 * Throws a PortPartyError (exit 2 or 3) where a trial cannot be run.
 */
export async function capacityAndPrint(
  scenario: Scenario,
  search: CapacitySearch,
  options: CapacityAndPrintOptions,
): Promise<ExitCode> {
  const progress = showProgress(process.stderr, options.quiet, scenario.name);
  const { of } = search.load;
  const tell = (text: string) => {
    progress.done();
    if (!options.quiet) process.stderr.write(`${text}\n`);
  };
  try {
    const driver = options.driver(progress.line);
    const placement = options.pin ? planPlacement(driver.name) : undefined;
    const { record, dir } = await searchCapacity(scenario, search, {
      outDir: options.outDir,
      driver,
      placement,
      driverReason: options.driverReason,
      engine: options.engine,
      interrupt: options.interrupt,
      onProgress: progress.phase,
      nameTrial({ level, left }, trials, plannedMs) {
        const total = trials.length + left.trials;
        const planned = Array.from({ length: total }, () => plannedMs);
        const till = endsAbout(
          planned,
          trials.map(({ tookMs }) => tookMs),
        );
        return `trial ${trials.length + 1} of ~${total}${left.isAtLeast ? '+' : ''}, until ~${till}, ${levelText(of, level)}`;
      },
      onTrial: (trial) => tell(`${levelText(of, trial.level)} ${trialText(trial)}`),
      onRemark: (text) => tell(`note: ${text}`),
    });
    progress.done();
    process.stdout.write(
      options.json ? `${JSON.stringify(record, null, 2)}\n` : renderCapacity(record, terminalOptions(process.stdout)),
    );
    tell(`record: ${dir}`);
    return exitCodeOf(record);
  } finally {
    progress.done();
  }
}
