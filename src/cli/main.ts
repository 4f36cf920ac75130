#!/usr/bin/env node
/** The command line: one verb per file of this folder; this file only gathers them and turns errors into exit codes. */
import { createRequire } from 'node:module';
import { Command, CommanderError } from 'commander';
import { ExitCode } from '../errors.js';
import * as capacity from './capacity.js';
import * as clean from './clean.js';
import * as compare from './compare.js';
import * as doctor from './doctor.js';
import * as explain from './explain.js';
import * as gate from './gate.js';
import * as init from './init.js';
import * as list from './list.js';
import { printError } from './print-error.js';
import * as report from './report.js';
import * as requests from './requests.js';
import * as run from './run.js';
import * as schema from './schema.js';
import * as tune from './tune.js';
import * as watch from './watch.js';

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };

function program(): Command {
  const root = new Command('portparty')
    .description('Load tests for port exhaustion: which connections are lost, where, and why.')
    .version(version)
    .option('--verbose', 'show stack traces with errors')
    .addHelpText('after', '\nExample:\n  $ portparty run scenarios/ticket-sale.yaml\n')
    .showSuggestionAfterError()
    .exitOverride();
  const verbs = [
    run,
    explain,
    report,
    gate,
    compare,
    capacity,
    tune,
    list,
    init,
    schema,
    doctor,
    clean,
    requests,
    watch,
  ];
  for (const verb of verbs) verb.register(root);
  for (const verb of root.commands) verb.exitOverride().option('--verbose', 'show stack traces with errors');
  return root;
}

async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return typeof process.exitCode === 'number' ? process.exitCode : ExitCode.ok;
  } catch (error) {
    if (error instanceof CommanderError) {
      return error.exitCode === 0 ? ExitCode.ok : ExitCode.usage;
    }
    return printError(error, process.argv.includes('--verbose'));
  }
}

// A reader that went away (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.ok);
  throw error;
});

// Progress that nobody reads any more must not end a run.
process.stderr.on('error', () => {});

process.exitCode = await main();
