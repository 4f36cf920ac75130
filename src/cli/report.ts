/** `portparty report [run]`: writes the HTML page of a run again, prints its path, opens it. */
import { statSync } from 'node:fs';
import type { Command } from 'commander';

interface Options {
  open?: boolean;
  json?: boolean;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('report')
    .summary('write or open the HTML report of a run')
    .description(
      'write the page of a run from its record and print its path: one file that loads nothing, to read, to keep, to send. ' +
        'A run writes it at its end by itself (docs/report.md)',
    )
    .argument('[run]', "a run's folder, its id, or `latest`", 'latest')
    .option('--open', 'open it in the browser')
    .option(
      '--out <path>',
      'the file to write, instead of report.html in the folder of the run; a folder that exists is that which holds the runs',
      'results',
    )
    .option('--json', 'print what the page shows as JSON, and write no page')
    .addHelpText(
      'after',
      '\nExamples:\n  $ portparty report --open\n  $ portparty report 20261124T192318Z-my-ab12 --out sale.html\n' +
        '  $ portparty report latest --json | jq .told[0].series.due\n',
    )
    .action(async (run: string, options: Options) => report(run, options));
}

async function report(run: string, { open, json, out }: Options): Promise<void> {
  const isFile = out !== 'results' && !isFolder(out);
  const resultsDir = isFile ? undefined : out;
  if (json) {
    const { readReport } = await import('../report/html/read-report.js');
    process.stdout.write(`${JSON.stringify(readReport(run, resultsDir))}\n`);
    return;
  }
  const { writeReport } = await import('../report/html/write-report.js');
  const file = writeReport(run, { resultsDir, ...(isFile && { file: out }) });
  process.stdout.write(`${file}\n`);
  if (!open) return;
  const { openPage } = await import('../report/html/open-page.js');
  await openPage(file);
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
