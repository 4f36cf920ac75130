/** `portparty doctor`: what this machine can run, and with `--fix` installs what is missing. */
import type { Command } from 'commander';
import pc from 'picocolors';
import { ExitCode } from '../errors.js';
import type { Check } from '../testbed/netns/checks.js';

interface DoctorOptions {
  fix?: boolean;
  json?: boolean;
}

export function register(program: Command): void {
  program
    .command('doctor')
    .description(
      'check what this machine can run, with the remedy for what it cannot (exit 3 when the netns driver cannot run)',
    )
    .option(
      '--fix',
      'install missing packages (apt-get, as root or with passwordless sudo); else print the line to type',
    )
    .option('--json', 'print the checks as JSON on stdout')
    .addHelpText('after', '\nExamples:\n  $ portparty doctor\n  $ portparty doctor --fix\n')
    .action(async (options: DoctorOptions) => {
      process.exitCode = await doctor(options);
    });
}

async function doctor(options: DoctorOptions): Promise<number> {
  const { checkMachine, netnsRuns } = await import('../testbed/netns/checks.js');
  let checks = await checkMachine();
  const missing = () => checks.flatMap((check) => (!check.ok && check.package ? [check.package] : []));
  if (options.fix && missing().length > 0) {
    const { install, mayInstall } = await import('../testbed/netns/packages.js');
    if (mayInstall() && (await install(missing()))) checks = await checkMachine();
  }
  const ok = netnsRuns(checks);
  const { installLine } = await import('../testbed/netns/packages.js');
  const line = missing().length > 0 ? installLine(missing()) : undefined;
  if (options.json) console.log(JSON.stringify({ ok, driver: ok ? 'netns' : null, checks, install: line }, null, 2));
  else print(checks, ok, line);
  return ok ? ExitCode.ok : ExitCode.testbed;
}

function print(checks: Check[], ok: boolean, line: string | undefined): void {
  const width = Math.max(...checks.map((check) => check.name.length));
  for (const check of checks) {
    const mark = check.ok ? pc.green('✓') : check.required ? pc.red('✗') : pc.yellow('–');
    console.log(`${mark} ${check.name.padEnd(width)}  ${check.detail}`);
    if (check.package && line) continue; // One line for all packages, below.
    for (const remedy of check.remedies) console.log(`  ${' '.repeat(width)}  ${pc.cyan('→')} ${remedy}`);
  }
  console.log();
  if (line) console.log(`To install what is missing:\n\n  ${line}\n`);
  console.log(ok ? 'The netns driver can run here.' : 'The netns driver cannot run here yet.');
}
