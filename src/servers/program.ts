/** What the server programs have in common: options as JSON on the command line, an end by SIGTERM, an error in one line. */
import { readFileSync } from 'node:fs';
import { PortPartyError } from '../errors.js';
import type { EventLoop } from './event-loop.js';

/** The program's options: its one argument, a JSON object. */
export function programOptions<Options>(): Options {
  return JSON.parse(process.argv[2] ?? '') as Options;
}

/** Runs `loop` until SIGTERM or SIGINT. */
export async function runUntilSignal(loop: EventLoop): Promise<void> {
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.on(name, () => loop.stop());
  await loop.run();
}

/** Calls `apply` with the text of the control file, as JSON, at each SIGUSR2, and says on stdout that it is done. */
export function onChange<Changes>(control: string, apply: (changes: Changes) => void): void {
  process.on('SIGUSR2', () => {
    const { version, ...changes } = JSON.parse(readFileSync(control, 'utf8')) as { version: number };
    apply(changes as Changes);
    process.stdout.write(`changed ${version}\n`);
  });
}

/** Runs a program; a PortPartyError ends it with its exit code and one line on stderr. */
export async function program(main: () => Promise<void>): Promise<void> {
  try {
    await main();
    process.exit(0);
  } catch (error) {
    if (!(error instanceof PortPartyError)) throw error;
    process.stderr.write(`${error.where === undefined ? '' : `${error.where}: `}${error.message}\n`);
    process.exit(error.exitCode);
  }
}

/** Tells whoever waits for it, by a line on stdout, that connections are accepted. */
export function tellListening(address: string, port: number): void {
  process.stdout.write(`listening ${address}:${port}\n`);
}
