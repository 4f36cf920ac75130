/** The inner half of `portparty run`: inside its own namespaces it runs the scenario, prints the result, gives the exit code. */
import { createInterface } from 'node:readline';
import { ExitCode } from '../errors.js';
import type { RunRecord } from '../record/run-record.js';
import { showProgress } from '../report/progress.js';
import { renderRun, terminalOptions } from '../report/terminal.js';
import type { Scenario } from '../scenario/scenario.js';
import type { Testbed } from '../testbed/host.js';
import { enterIsolated, entryFromOutside } from '../testbed/netns/enter.js';
import type { Engine } from '../traffic/engine.js';
import { runScenario } from './run.js';

export interface IsolatedOptions {
  outDir: string;
  engine: Engine['name'] | undefined;
  json: boolean;
  quiet: boolean;
  keep: boolean;
  driverReason: string;
}

export async function runIsolated(scenario: Scenario, options: IsolatedOptions): Promise<ExitCode> {
  const interrupt = new AbortController();
  enterIsolated(() => interrupt.abort());
  const progress = showProgress(process.stderr, options.quiet);
  try {
    const { record, dir } = await runScenario(scenario, {
      outDir: options.outDir,
      driver: 'netns',
      driverReason: options.driverReason,
      engine: options.engine,
      onProgress: progress.phase,
      onRemark(text) {
        progress.done();
        process.stderr.write(`note: ${text}\n`);
      },
      interrupt: interrupt.signal,
      keep: options.keep ? (testbed) => waitForEnter(testbed, interrupt.signal) : undefined,
    });
    progress.done();
    print(record, dir, options);
    return exitCodeOf(record);
  } finally {
    progress.done();
  }
}

function print(record: RunRecord, dir: string, options: IsolatedOptions): void {
  if (options.json) {
    process.stdout.write(`${JSON.stringify(record, null, 2)}\n`);
    return;
  }
  process.stdout.write(renderRun(record, terminalOptions(process.stdout)));
  if (!options.quiet) process.stderr.write(`record: ${dir}\n`);
}

/** The exit code that a record stands for. */
function exitCodeOf(record: RunRecord): ExitCode {
  if (record.status === 'interrupted') return ExitCode.interrupted;
  switch (record.verdict) {
    case 'invalid':
      return ExitCode.invalid;
    case 'fail':
      return ExitCode.gatesFailed;
    default:
      return ExitCode.ok;
  }
}

async function waitForEnter(testbed: Testbed, interrupt: AbortSignal): Promise<void> {
  const hosts = [...testbed.hosts.values()];
  process.stderr.write(`\nthe chain is up; enter a host from another terminal, or press Enter to go on:\n`);
  for (const { name, netns } of hosts) {
    if (netns !== null) process.stderr.write(`  ${name}: ${await entryFromOutside(netns)} ss -tan\n`);
  }
  const lines = createInterface({ input: process.stdin });
  await new Promise<void>((resolve) => {
    lines.once('line', () => resolve());
    lines.once('close', resolve);
    interrupt.addEventListener('abort', () => resolve(), { once: true });
  });
  lines.close();
}
