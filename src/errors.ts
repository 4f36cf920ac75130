/** Every failure that a user can meet, as a value: what happened, where, what to do next, and the exit code. */

/** Exit codes of the command line (docs/exit-codes.md). */
export const ExitCode = {
  /** Done, and every gate holds. */
  ok: 0,
  /** Done, and at least one gate fails. */
  gatesFailed: 1,
  /** The command line or the scenario is wrong; nothing was started. */
  usage: 2,
  /** The testbed could not be built, or broke while running. */
  testbed: 3,
  /** The measurement is invalid: its numbers must not be trusted. */
  invalid: 4,
  /** Interrupted by the user; the record is kept, the testbed is gone. */
  interrupted: 130,
} as const;

/** One of the exit codes above, as a number. */
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** An error to show to a person in one or two lines, without a stack trace. */
export class PortPartyError extends Error {
  override readonly name = 'PortPartyError';
  readonly exitCode: ExitCode;
  /** Where it happened: `file:line:column`, a node's name, a daemon's name. */
  readonly where: string | undefined;
  /** What to do next, as one sentence or one command. */
  readonly hint: string | undefined;

  constructor(message: string, options: { exitCode: ExitCode; where?: string; hint?: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.exitCode = options.exitCode;
    this.where = options.where;
    this.hint = options.hint;
  }
}

/** The command line or the scenario is wrong (exit 2). */
export function usageError(message: string, where?: string, hint?: string): PortPartyError {
  return new PortPartyError(message, { exitCode: ExitCode.usage, where, hint });
}

/** The testbed could not be built, or broke (exit 3). */
export function testbedError(message: string, where?: string, hint?: string, cause?: unknown): PortPartyError {
  return new PortPartyError(message, { exitCode: ExitCode.testbed, where, hint, cause });
}
