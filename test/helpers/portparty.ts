/** Runs the built command line as a user would, and reads what it says. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { RunRecord, VariantRecord } from '../../src/record/run-record.js';
import { AS_NOBODY, asNobodyOf } from './ordinary-user.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** How the command line is started. */
export interface StartOptions {
  cwd?: string;
  /** As an ordinary user (see `canLowerRights`). */
  asUser?: boolean;
  /** As an ordinary user who is in this group. */
  group?: number;
  env?: Record<string, string>;
  /** Another copy of the built command line. */
  main?: string;
}

/** Starts the command line. */
export function start(args: string[], options: StartOptions = {}): ChildProcess {
  const lowered = options.group === undefined ? (options.asUser ? AS_NOBODY : []) : asNobodyOf(options.group);
  const [program, ...argv] = [...lowered, process.execPath, options.main ?? MAIN, ...args];
  return spawn(program, argv, {
    cwd: options.cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1', HOME: options.cwd ?? process.env.HOME, ...options.env },
  });
}

/** Waits until a run sends, by its own progress line. */
export function underWay(child: ChildProcess): Promise<void> {
  return said(child, 'visitors over');
}

/** Waits until a command line has said something on stderr. */
function said(child: ChildProcess, text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stderr!.on('data', (data) => {
      seen += data;
      if (seen.includes(text)) resolve();
    });
    child.once('exit', () => reject(new Error(`ended before it said "${text}": ${seen}`)));
  });
}

/** Waits for the end of a started command line. */
export function finished(child: ChildProcess): Promise<Finished> {
  return new Promise((resolve, reject) => {
    let stdout = '';
    let stderr = '';
    child.stdout!.on('data', (data) => {
      stdout += data;
    });
    child.stderr!.on('data', (data) => {
      stderr += data;
    });
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs the command line to its end. */
export function portparty(args: string[], options: StartOptions = {}): Promise<Finished> {
  return finished(start(args, options));
}

/** A folder of the test's own, removed at its end. */
export function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
  // An ordinary user's runs write here as well.
  chmodSync(folder, 0o777);
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes a scenario file and returns its path. */
export function scenarioFile(folder: string, text: string): string {
  const file = join(folder, 'scenario.yaml');
  writeFileSync(file, text);
  return file;
}

/** Runs a scenario given as text and returns its record. */
export async function record(
  text: string,
  args: string[] = [],
  options: StartOptions = {},
): Promise<RunRecord & { folder: string }> {
  const folder = scratch();
  const file = scenarioFile(folder, text);
  const result = await portparty(['run', file, '--out', join(folder, 'results'), '--json', '--quiet', ...args], {
    cwd: folder,
    ...options,
  });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  const parsed = JSON.parse(result.stdout) as RunRecord;
  return { ...parsed, folder: join(folder, 'results', parsed.id) };
}

/** Lost requests by `cause@place`, and ` because cause@place` where they follow from something else. */
export function losses(variant: VariantRecord): Record<string, number> {
  return Object.fromEntries(
    variant.requests.byCause.map(({ cause, at, because, count }) => [
      `${cause}@${at}${because === undefined ? '' : ` because ${because.cause}@${because.at}`}`,
      count,
    ]),
  );
}
