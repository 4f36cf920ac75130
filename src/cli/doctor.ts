/** `portparty doctor`: what this machine can run, per driver, and with `--fix` installs what is missing. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode } from '../errors.js';
import type { Check } from '../testbed/check.js';
import type { DriverReport } from '../testbed/diagnosis.js';

interface DoctorOptions {
  fix?: boolean;
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
    .option('--json', 'print the checks as JSON on stdout')
    .addHelpText('after', '\nExamples:\n  $ portparty doctor\n  $ portparty doctor --fix\n')
    .action(async (options: DoctorOptions) => {
      process.exitCode = await doctor(options);
    });
}

async function doctor(options: DoctorOptions): Promise<number> {
  const { diagnose } = await import('../testbed/diagnosis.js');
  const { drivers, driver, install } = await diagnose({ fix: options.fix === true });
  if (options.json) console.log(JSON.stringify({ ok: driver !== null, driver, drivers, install }, null, 2));
  else print(drivers, driver, install);
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
