/** `portparty run` from the loaded scenario on: runs it with a driver, prints the result, gives the exit code. */
import { createInterface } from 'node:readline';
import type { Baseline } from '../analysis/baseline.js';
import type { ExitCode } from '../errors.js';
import type { RunRecord } from '../record/run-record.js';
import { showProgress } from '../report/progress.js';
import { renderRun, terminalOptions } from '../report/terminal.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import type { Engine } from '../traffic/engine.js';
import { exitCodeOf } from './exit-code-of.js';
import { writeExports } from './export-variant.js';
import { planPlacement } from './pin.js';
import { runScenario } from './run.js';
import type { WithDriver } from './run-with-driver.js';

/** What the command line asks for beside the scenario, and what the process that runs it has. */
export interface RunAndPrintOptions extends WithDriver {
  outDir: string;
  engine: Engine['name'] | undefined;
  /** Each part keeps to cores of its own. */
  pin: boolean;
  /** What relative gates are held against. */
  baseline?: Baseline;
  json: boolean;
  quiet: boolean;
  keep: boolean;
  /** Folder for what each variant changes against the first one, as lines to paste. */
  exportTo?: string;
}

/**
 * Prints the result on stdout, progress and remarks on stderr, and gives the exit code that the record stands for.
 * Throws a PortPartyError (exit 2 or 3) where there is no result.
 */
export async function runAndPrint(scenario: Scenario, options: RunAndPrintOptions): Promise<ExitCode> {
  const { interrupt } = options;
  const progress = showProgress(process.stderr, options.quiet, scenario.name);
  const note = (text: string) => {
    progress.done();
    process.stderr.write(`note: ${text}\n`);
  };
  try {
    const driver = options.driver(progress.line);
    const placement = options.pin ? planPlacement(driver.name) : undefined;
    const { record, dir } = await runScenario(scenario, {
      outDir: options.outDir,
      driver,
      placement,
      driverReason: options.driverReason,
      engine: options.engine,
      baseline: options.baseline,
      onProgress: progress.phase,
      onTrial: (_, trial) => progress.trial(trial),
      onRemark: note,
      onAhead: note,
      interrupt,
      async onBroken(dir) {
        progress.done();
        await writePage(dir);
      },
      keep: options.keep
        ? (testbed) => {
            progress.done();
            return waitForEnter(testbed, interrupt);
          }
        : undefined,
    });
    progress.done();
    print(record, dir, options);
    const page = await writePage(dir);
    if (page !== undefined && !options.quiet) process.stderr.write(`report: ${page}\n`);
    if (options.exportTo !== undefined) exportTo(options.exportTo, { record, dir }, options.quiet);
    return exitCodeOf(record);
  } finally {
    progress.done();
  }
}

function print(record: RunRecord, dir: string, options: RunAndPrintOptions): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    return;
  }
  process.stdout.write(renderRun(record, terminalOptions(process.stdout)));
  if (!options.quiet) process.stderr.write(`record: ${dir}\n`);
}

/** The record is there whatever becomes of the page: where it cannot be written that is said, and the run's result stands. */
async function writePage(dir: string): Promise<string | undefined> {
  try {
    // Only now: loading what makes the page would hold up the start of every run.
    const { writeReport } = await import('../report/html/write-report.js');
    return writeReport(dir);
  } catch (error) {
    process.stderr.write(
      `note: report.html was not written: ${(error as Error).message}; \`portparty report ${dir}\` tries again\n`,
    );
    return undefined;
  }
}

function exportTo(folder: string, run: { record: RunRecord; dir: string }, quiet: boolean): void {
  const folders = writeExports(run, folder);
  if (folders.length === 0) process.stderr.write('note: nothing to export: only one variant was measured\n');
  else if (!quiet) for (const one of folders) process.stderr.write(`lines to paste: ${one}\n`);
}

async function waitForEnter(testbed: Testbed, interrupt: AbortSignal): Promise<void> {
  process.stderr.write(`\nthe chain is up; enter a host from another terminal, or press Enter to go on:\n`);
  for (const { name } of testbed.hosts.values()) process.stderr.write(`  ${name}: ${await testbed.entry(name)}\n`);
  const lines = createInterface({ input: process.stdin });
  await new Promise<void>((resolve) => {
    lines.once('line', () => resolve());
    lines.once('close', resolve);
    interrupt.addEventListener('abort', () => resolve(), { once: true });
  });
  lines.close();
}
