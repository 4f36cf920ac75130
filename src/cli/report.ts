/** `portparty report [runs…]`: writes the HTML page of a run again, of several beside each other, or over a whole folder; prints its path, opens it. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { usageError } from '../errors.js';

interface Options {
  open?: boolean;
  json?: boolean;
  index?: string;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('report')
    .summary('write or open the HTML report of runs')
    .description(
      'write the page of a run from its record and print its path: one file that loads nothing, to read, to keep, to send. ' +
        'A run writes it at its end by itself. Several runs, up to 12, come beside each other on one page; ' +
        '--index writes a page over all runs of a folder (docs/report.md)',
    )
    .argument('[runs...]', "a run's folder, its id, or `latest` (the default)")
    .option('--open', 'open it in the browser')
    .option(
      '--out <path>',
      'the file to write, instead of report.html in the folder of the run, or comparison.html beside the folder of the first one; ' +
        'a folder that exists is that which holds the runs',
      'results',
    )
    .option('--index <dir>', 'write index.html into this folder: all its runs, and how the metrics of their gates went')
    .option('--json', 'print what the page shows as JSON, and write no page')
    .addHelpText(
      'after',
      '\nExamples:\n  $ portparty report --open\n  $ portparty report 20261124T192318Z-my-ab12 --out sale.html\n' +
        '  $ portparty report 20261124T192318Z-my-ab12 latest --open\n  $ portparty report --index results\n' +
        '  $ portparty report latest --json | jq .told[0].series.due\n',
    )
    .action(async (runs: string[], options: Options) => report(runs, options));
}

async function report(runs: string[], options: Options): Promise<void> {
  if (options.index !== undefined && runs.length > 0)
    throw usageError('--index is over all runs of a folder', runs[0], 'leave out the runs, or --index');
  if (options.index !== undefined && options.out !== 'results')
    throw usageError('--index has its place: index.html in the folder', '--out', 'leave out --out');
  if (options.json) {
    process.stdout.write(`${JSON.stringify(await read(runs, options))}\n`);
    return;
  }
  const file = await write(runs, options);
  process.stdout.write(`${file}\n`);
  if (!options.open) return;
  const { openPage } = await import('../report/html/open-page.js');
  await openPage(file);
}

async function read(runs: string[], { index, out }: Options): Promise<object> {
  if (index !== undefined) return (await import('../report/html/index-page/read-index.js')).readIndex(index);
  const { resultsDir } = placesOf(out);
  if (runs.length > 1)
    return (await import('../report/html/comparison/read-comparison.js')).readComparison(runs, resultsDir);
  return (await import('../report/html/read-report.js')).readReport(runs[0], resultsDir);
}

async function write(runs: string[], { index, out }: Options): Promise<string> {
  if (index !== undefined) return (await import('../report/html/index-page/write-index.js')).writeIndex(index);
  if (runs.length > 1)
    return (await import('../report/html/comparison/write-comparison.js')).writeComparison(runs, placesOf(out));
  return (await import('../report/html/write-report.js')).writeReport(runs[0], placesOf(out));
}

/** A folder that exists holds the runs; any other path is the file to write. */
function placesOf(out: string): { resultsDir?: string; file?: string } {
  return out !== 'results' && !isFolder(out) ? { file: out } : { resultsDir: out };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
