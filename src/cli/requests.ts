/** `portparty requests [run]`: the recorded requests, one per line. */
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { usageError } from '../errors.js';
import { CAUSE_NAMES } from '../ledger/causes.js';
import type { RequestFilter } from '../report/request-line.js';

interface Options {
  json?: boolean;
  cause?: string;
  dropped?: boolean;
  delayed?: boolean;
  variant?: string[];
  limit?: number;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('requests')
    .summary('print the requests of a run, one per line')
    .description('print every request of a run that came due, with its times, its cause and its place')
    .argument('[run]', "a run's folder, its id, or `latest`", 'latest')
    .option('--json', 'one JSON object per line')
    .addOption(new Option('--cause <cause>', 'only those with this cause, or because of it').choices(CAUSE_NAMES))
    .option('--dropped', 'only those that were dropped')
    .option('--delayed', 'only those that completed late')
    .option('--variant <name>', 'only this variant; may be repeated', (name, all: string[] = []) => [...all, name])
    .option('--limit <n>', 'at most so many', readLimit)
    .option('--out <dir>', 'the folder that holds the runs', 'results')
    .addHelpText('after', '\nExample:\n  $ portparty requests latest --dropped --json | jq .localPort\n')
    .action(async (run: string, options: Options) => printRequests(run, options));
}

async function printRequests(run: string, options: Options): Promise<void> {
  const { findRun } = await import('../record/read-record.js');
  const { openRequests } = await import('../record/read-requests.js');
  const { isWanted, requestLine, requestLineHead } = await import('../report/request-line.js');
  const file = join(findRun(run, options.out), 'requests.bin');
  const reader = openRequests(file);
  const names = [...new Set(reader.trials.map(({ variant }) => variant))];
  for (const name of options.variant ?? []) {
    if (!names.includes(name)) throw usageError(`the run has no variant "${name}"`, file, `it has ${names.join(', ')}`);
  }
  if (reader.truncated)
    process.stderr.write(`${file}: the end is missing; the last requests before a crash are not shown\n`);
  const { json = false, limit = Number.POSITIVE_INFINITY, cause, dropped, delayed, variant } = options;
  const filter: RequestFilter = { cause, dropped, delayed, variants: variant };
  function* lines() {
    let left = limit;
    if (!json) yield `${requestLineHead}\n`;
    for (const row of reader.rows()) {
      if (left <= 0) return;
      if (!isWanted(row, filter)) continue;
      left--;
      yield `${json ? JSON.stringify(row) : requestLine(row)}\n`;
    }
  }
  await writeLines(lines());
}

/** Writes with back-pressure; a reader that has seen enough (`| head`) is no error. */
async function writeLines(lines: Iterable<string>): Promise<void> {
  try {
    await pipeline(Readable.from(lines), process.stdout, { end: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error;
  }
}

function readLimit(text: string): number {
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 0) throw new InvalidArgumentError('it must be a whole number, 0 or more.');
  return limit;
}
