/** Commands that an agent runs in its host's namespaces. */
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { CommandEnd } from './protocol.js';

/** Runs a command to its end; rejects with Node's own error when it cannot be started. */
export function runCommand({ argv, input }: { argv: string[]; input: string }): Promise<CommandEnd> {
  return new Promise((resolve, reject) => {
    const child = spawn(argv[0], argv.slice(1));
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
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code: code ?? 128 + constants.signals[signal!], stdout, stderr }));
  });
}
