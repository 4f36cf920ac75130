/** A child process, fed and heard to its end. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';

/** How a child process ended, and all that it wrote. */
export interface ChildOutput {
  /** Its exit code; null when a signal ended it. */
  code: number | null;
  /** The signal that ended it. */
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** Gives it `input` on its stdin and gathers what it writes, UTF-8; rejects with Node's own error when it could not be started. */
export function outputOf(child: ChildProcessWithoutNullStreams, input: string): Promise<ChildOutput> {
  return new Promise((resolve, reject) => {
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
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
}
