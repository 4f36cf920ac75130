/** Commands that an agent runs in its host's namespaces. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { outputOf } from '../sys/child-output.js';
import type { CommandEnd } from './protocol.js';

/** Runs a command to its end; rejects with Node's own error when it cannot be started. */
export async function runCommand({ argv, input }: { argv: string[]; input: string }): Promise<CommandEnd> {
  const { code, signal, stdout, stderr } = await outputOf(spawn(argv[0], argv.slice(1)), input);
  return { code: code ?? 128 + constants.signals[signal!], stdout, stderr };
}
