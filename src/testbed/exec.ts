/** Runs a command to its end inside a network namespace. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { testbedError } from '../errors.js';
import { inNamespace } from '../sys/namespace.js';
import { findCommand } from './find-command.js';
import type { CommandResult } from './host.js';

/**
 * Runs `argv` in the namespace at `netns` (null: this thread's own), with `input` on its stdin.
 * Throws a PortPartyError (exit 3) that names `where`, the command and its stderr when it fails.
 */
export async function execIn(netns: string | null, where: string, argv: string[], input = ''): Promise<CommandResult> {
  // `spawn` forks on the calling thread, so the child inherits the namespace that the thread is in at that moment.
  const child: ChildProcessWithoutNullStreams = inNamespace(netns, () => spawn(argv[0], argv.slice(1)));
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  // A command that ends without reading all of its input closes the pipe: its exit code tells the rest.
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const end = await new Promise<{ code: number | null; signal: string | null } | Error>((resolve) => {
    child.once('error', resolve);
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  if (end instanceof Error) throw startError(where, argv[0], end as NodeJS.ErrnoException);
  if (end.code !== 0) {
    const words = stderr.trim() || stdout.trim() || (end.signal ?? `exit code ${end.code}`);
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
