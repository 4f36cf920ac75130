/** `portparty doctor`: what this machine can run, per driver; `--fix` installs what is missing, `--bench` measures how much it can send. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode, usageError } from '../errors.js';
import type { Check } from '../testbed/check.js';
import type { DriverReport } from '../testbed/diagnosis.js';

interface DoctorOptions {
  fix?: boolean;
  bench?: boolean;
  json?: boolean;
}

/** Adds the verb. Exit 3 where no driver can run. */
export function register(program: Command): void {
  program
    .command('doctor')
    .description('check what this machine can run, with the remedy for what it cannot (exit 3 when no driver can run)')
    .option(
      '--fix',
      'install missing packages of the netns driver (apt-get, as root or with passwordless sudo); else print the line to type',
    )
    .option(
      '--bench',
      'measure how many new connections per second this machine can send (some 15 s; netns driver), and keep it, so that runs that ask for more are told',
    )
    .option('--json', 'print the checks, or what was measured, as JSON on stdout')
    .addHelpText(
      'after',
      '\nExamples:\n  $ portparty doctor\n  $ portparty doctor --fix\n  $ portparty doctor --bench\n\n' +
        'Exit codes: 0 done, 2 mistake in the command, 3 no driver can run (with --bench: netns cannot), 4 --bench found no rate that is sent on time, 130 interrupted\n',
    )
    .action(async (options: DoctorOptions) => {
      process.exitCode = options.bench ? await bench(options) : await doctor(options);
    });
}

/** On the netns driver this program starts itself again inside namespaces and comes to this place once more. */
async function bench({ fix, json }: DoctorOptions): Promise<number> {
  if (fix) throw usageError('--fix and --bench are two things', '--bench', 'first doctor --fix, then doctor --bench');
  const { runWithDriver } = await import('../run/run-with-driver.js');
  return runWithDriver({ variants: [] }, 'netns', true, async (ready) => {
    const { calibrateAndPrint } = await import('../run/calibrate-and-print.js');
    return calibrateAndPrint(ready, json === true);
  });
}

async function doctor(options: DoctorOptions): Promise<number> {
  const { diagnose } = await import('../testbed/diagnosis.js');
  const { differencesSince, machineFacts, readCalibration } = await import('../run/calibration.js');
  const { drivers, driver, install } = await diagnose({ fix: options.fix === true });
  const kept = readCalibration();
  const calibration = kept === undefined ? null : { ...kept, differences: differencesSince(kept, machineFacts()) };
  if (options.json) {
    console.log(JSON.stringify({ ok: driver !== null, driver, drivers, install, calibration }, null, 2));
  } else {
    print(drivers, driver, install);
    const { keptCalibrationText } = await import('../report/calibration-text.js');
    if (drivers.netns.ok) console.log(keptCalibrationText(calibration));
  }
  return driver === null ? ExitCode.testbed : ExitCode.ok;
}

function print(drivers: Record<string, DriverReport>, driver: string | null, line: string | undefined): void {
  const width = Math.max(...Object.values(drivers).flatMap(({ checks }) => checks.map(({ name }) => name.length)));
  for (const [name, { ok, checks }] of Object.entries(drivers)) {
    console.log(`${pc.bold(`${name} driver`)}: ${ok ? pc.green('can run') : pc.red('cannot run')}`);
    for (const check of checks) printCheck(check, width, line);
    console.log();
  }
  if (line) console.log(`To install what is missing:\n\n  ${line}\n`);
  console.log(driver === null ? 'No driver can run here yet.' : `portparty run takes the ${driver} driver here.`);
}

function printCheck(check: Check, width: number, line: string | undefined): void {
  const mark = check.ok ? pc.green('✓') : check.required ? pc.red('✗') : pc.yellow('–');
  console.log(`  ${mark} ${check.name.padEnd(width)}  ${check.detail}`);
  if (check.package && line) return; // One line for all packages, at the end.
  for (const remedy of check.remedies) console.log(`    ${' '.repeat(width)}  ${pc.cyan('→')} ${remedy}`);
}
