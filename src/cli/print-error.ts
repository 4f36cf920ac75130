/** Errors as a person reads them: where, what, what next, in one or two lines. */
import pc from 'picocolors';
import { ExitCode, PortPartyError } from '../errors.js';

/** Prints an error to stderr and returns the exit code that belongs to it. */
export function printError(error: unknown, verbose: boolean): number {
  const colors = pc.createColors(process.stderr.isTTY === true && !process.env.NO_COLOR);
  if (error instanceof PortPartyError) {
    const where = error.where === undefined ? '' : `${error.where}: `;
    process.stderr.write(`${colors.red('error')}: ${where}${error.message}\n`);
    if (error.hint !== undefined) process.stderr.write(`  ${colors.cyan('hint')}: ${error.hint}\n`);
    if (verbose)
      process.stderr.write(
        `${error.stack}\n${error.cause === undefined ? '' : `caused by: ${stackOf(error.cause)}\n`}`,
      );
    return error.exitCode;
  }
  process.stderr.write(`${colors.red('error')}: ${error instanceof Error ? error.message : String(error)}\n`);
  if (verbose) process.stderr.write(`${stackOf(error)}\n`);
  else
    process.stderr.write(
      `  ${colors.cyan('hint')}: --verbose shows where; if this looks like a fault of the program, please report it\n`,
    );
  return ExitCode.testbed;
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
