/** `portparty compare <run> [run]`: variants of a run, or two runs, side by side: what differs, and how sure that is. */
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { collect } from './measure-options.js';

interface Options {
  base?: string;
  variant?: string[];
  metric?: string[];
  confidence: number;
  force?: boolean;
  json?: boolean;
  export?: string;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('compare')
    .summary('variants of a run, or two runs, side by side')
    .description(
      'compare the variants of a run with its first one (or --base), or those of a second run with the same ones of the first: ' +
        'differences with confidence intervals, and a verdict per metric that noise does not make',
    )
    .argument('<run>', "a run's folder, its id, or `latest`")
    .argument('[other]', 'a second run, compared with the first')
    .option('--base <variant>', 'the variant of one run that the others are compared with')
    .option('--variant <name>', 'only this variant; may be repeated', collect)
    .option('--metric <name>', 'only this metric, as gates name it, or all that begin so; may be repeated', collect)
    .option('--confidence <percent>', 'how sure intervals and verdicts are', readConfidence, 0.95)
    .option('--force', 'compare although the numbers mean something else; the result says so')
    .option('--export <dir>', 'write what each of the variants changes, as lines to paste (docs/export.md)')
    .option('--json', 'print the comparison as JSON')
    .option('--out <dir>', 'the folder that holds the runs', 'results')
    .addHelpText(
      'after',
      '\nExamples:\n  $ portparty run my.yaml --trials 12 && portparty compare latest\n' +
        '  $ portparty compare latest --base as-shipped --metric latency.response --metric dropped\n' +
        '  $ portparty compare latest --variant keepalive --export lines\n' +
        '  $ portparty compare 20261124T192318Z-my-ab12 latest --json\n',
    )
    .action(async (run: string, other: string | undefined, options: Options) => compare(run, other, options));
}

async function compare(run: string, other: string | undefined, options: Options): Promise<void> {
  const { readRun } = await import('../record/read-record.js');
  const { compareRuns } = await import('../analysis/comparison/compare.js');
  const first = readRun(run, options.out);
  const second = other === undefined ? undefined : readRun(other, options.out);
  const comparison = compareRuns(first, second, {
    base: options.base,
    variants: options.variant,
    metrics: options.metric,
    confidence: options.confidence,
    force: options.force,
  });
  if (options.export !== undefined) {
    const { exportCompared } = await import('../run/export-variant.js');
    const { findRun } = await import('../record/read-record.js');
    const from = { record: first, dir: findRun(run, options.out) };
    const folders = exportCompared(comparison, from, resolve(options.export));
    for (const folder of folders) process.stderr.write(`lines to paste: ${folder}\n`);
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(comparison, null, 2)}\n`);
    return;
  }
  const { renderComparison } = await import('../report/comparison.js');
  const { terminalOptions } = await import('../report/terminal.js');
  process.stdout.write(renderComparison(comparison, terminalOptions(process.stdout)));
}

function readConfidence(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)%$/.exec(text);
  const confidence = percent === null ? Number.NaN : Number((Number(percent[1]) / 100).toPrecision(12));
  // Beyond, random arrangements could not tell the chances of many metrics apart.
  if (!(confidence >= 0.5 && confidence <= 0.99)) throw new InvalidArgumentError('write it like 95%; from 50% to 99%.');
  return confidence;
}
