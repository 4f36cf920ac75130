/** Runs a command to its end inside a network namespace. */
import { spawn } from 'node:child_process';
import { testbedError } from '../errors.js';
import { outputOf } from '../sys/child-output.js';
import { inNamespace } from '../sys/namespace.js';
import { findCommand } from './find-command.js';
import type { CommandResult } from './host.js';

/**
 * Runs `argv` in the namespace at `netns` (null: this thread's own), with `input` on its stdin.
 * Throws a PortPartyError (exit 3) that names `where`, the command and its stderr when it fails.
 */
export async function execIn(netns: string | null, where: string, argv: string[], input = ''): Promise<CommandResult> {
  // `spawn` forks on the calling thread, so the child inherits the namespace that the thread is in at that moment.
  const child = inNamespace(netns, () => spawn(argv[0], argv.slice(1)));
  const { code, signal, stdout, stderr } = await outputOf(child, input).catch((error) => {
    throw startError(where, argv[0], error as NodeJS.ErrnoException);
  });
  if (code !== 0) {
    const words = stderr.trim() || stdout.trim() || (signal ?? `exit code ${code}`);
    throw testbedError(`${argv.join(' ')} failed: ${words}`, where);
  }
  return { stdout, stderr };
}

/** The error for a program that could not be started at all. */
export function startError(where: string, program: string, error: NodeJS.ErrnoException) {
  // EACCES also comes when it is nowhere, and a folder of PATH cannot be read (execvp(3)).
  const missing = error.code === 'ENOENT' || (error.code === 'EACCES' && findCommand(program) === undefined);
  return missing
    ? testbedError(`the command ${program} is missing`, where, 'portparty doctor --fix installs it', error)
    : testbedError(`cannot start ${program}: ${error.message}`, where, undefined, error);
}
