/** The library's `run`: the command line in a process of its own, because a run lives in namespaces of its own. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ExitCode, PortPartyError } from '../errors.js';
import type { RunRecord } from '../record/run-record.js';
import { outputOf } from '../sys/child-output.js';

/** What the options of `portparty run` say, all of them optional. */
export interface RunFileOptions {
  /** Run only these variants. */
  variants?: string[];
  /** Values that override the file's: `{ 'topology.edge.ports': '1024-65535' }`. */
  set?: Record<string, string | number>;
  trials?: number;
  seed?: number;
  /** Folder for the record, `results` unless said otherwise. */
  out?: string;
  driver?: 'auto' | 'netns' | 'docker';
  engine?: 'socket' | 'undici' | 'autocannon';
  /** A run or a file that relative gates are held against. */
  baseline?: string;
  /** Generator, proxies and servers keep to cores of their own (`--pin`). */
  pin?: boolean;
}

const MAIN = fileURLToPath(new URL('../cli/main.js', import.meta.url));

/**
 * Runs a scenario file and resolves to its record, whether its gates hold or not.
 * @throws PortPartyError when the scenario is wrong (exit code 2), the testbed broke (3), or the run was interrupted (130)
 */
export async function run(file: string, options: RunFileOptions = {}): Promise<RunRecord> {
  const args = ['run', file, '--json', '--quiet'];
  for (const variant of options.variants ?? []) args.push('--variant', variant);
  for (const [path, value] of Object.entries(options.set ?? {})) args.push('--set', `${path}=${value}`);
  for (const name of ['trials', 'seed', 'out', 'driver', 'engine', 'baseline'] as const) {
    if (options[name] !== undefined) args.push(`--${name}`, String(options[name]));
  }
  if (options.pin === true) args.push('--pin');
  return await printedJson<RunRecord>(args);
}

/**
 * Runs the command line and resolves to the record that it prints, where it ends with one.
 * @throws PortPartyError as the command line printed it, with its exit code
 */
export async function printedJson<Printed>(args: string[]): Promise<Printed> {
  const { code, stdout, stderr } = await outputOf(spawn(process.execPath, [MAIN, ...args]), '');
  if (code === ExitCode.ok || code === ExitCode.gatesFailed || code === ExitCode.invalid) {
    return JSON.parse(stdout) as Printed;
  }
  const exitCode = Object.values(ExitCode).find((known) => known === code) ?? ExitCode.testbed;
  const { message, hint } = readPrinted(stderr);
  throw new PortPartyError(message || `portparty ${args[0]} ended with exit code ${code}`, { exitCode, hint });
}

/** The error that the command line printed last (`cli/print-error.ts`); its message begins with the place. */
function readPrinted(stderr: string): { message: string; hint: string | undefined } {
  const [message, hint] = stderr.slice(Math.max(0, stderr.search(/^error: /m))).split(/^ {2}hint: /m);
  return { message: message.replace(/^error: /, '').trim(), hint: hint?.trim() };
}
