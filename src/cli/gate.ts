/** `portparty gate <run>`: holds gates against the record of a run again, with a baseline if one is named, and tells CI systems. */
import type { Command } from 'commander';
import { collect } from './measure-options.js';

interface GateFlags {
  gate?: string[];
  gates?: string;
  variant?: string[];
  baseline?: string;
  saveBaseline?: string;
  junit?: string;
  markdown?: string;
  annotations?: boolean;
  codeQuality?: string;
  json?: boolean;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('gate')
    .summary('hold gates against a run again, or against a baseline')
    .description(
      "evaluate gates on the record of a run: its own or others, with a number or with what a baseline measured ('dropped <= baseline')",
    )
    .argument('[run]', "a run's folder, its id, or `latest`", 'latest')
    .option('--gate <expression>', "this gate instead of the run's own; may be repeated", collect)
    .option('--gates <file>', "the gates of this YAML file instead of the run's own: a list, or a scenario")
    .option('--variant <name>', 'only this variant; may be repeated', collect)
    .option('--baseline <run>', 'a run, or a file of --save-baseline, that relative gates are held against')
    .option('--save-baseline <file>', 'write the numbers of this run as a baseline, small enough to commit')
    .option('--junit <file>', 'write JUnit XML')
    .option(
      '--markdown <file>',
      'write a summary in Markdown; without it, it is added to $GITHUB_STEP_SUMMARY where that is set',
    )
    .option('--annotations', 'print annotations for GitHub on stderr (the default where GITHUB_ACTIONS is true)')
    .option('--no-annotations', 'print none')
    .option('--code-quality <file>', "write GitLab's code quality report")
    .option('--json', 'print the result as JSON')
    .option('--out <dir>', 'the folder that holds the runs', 'results')
    .addHelpText(
      'after',
      `
Examples:
  $ portparty gate latest --gate 'latency.response.p99 < 250ms'
  $ portparty gate latest --save-baseline baselines/ticket-sale.json
  $ portparty gate latest --baseline baselines/ticket-sale.json --gate 'dropped <= baseline' --junit junit.xml

Exit codes: 0 gates hold, 1 gates fail, 2 mistake in the command, a gate, the record or the baseline, 4 invalid or interrupted measurement
`,
    )
    .action(async (run: string, flags: GateFlags) => {
      process.exitCode = await gate(run, flags);
    });
}

async function gate(run: string, flags: GateFlags): Promise<number> {
  const { exitCodeOfGates, gateRecord } = await import('../run/gate-record.js');
  const { gateSummary, writeGateOutputs } = await import('../run/gate-outputs.js');
  const result = gateRecord(run, flags);
  for (const remark of result.remarks) process.stderr.write(`note: ${remark}\n`);
  writeGateOutputs(result, flags);
  if (flags.json) process.stdout.write(`${JSON.stringify(gateSummary(result.judged), null, 2)}\n`);
  else {
    const { renderGates, terminalOptions } = await import('../report/terminal.js');
    process.stdout.write(renderGates(result.judged, terminalOptions(process.stdout)));
  }
  return exitCodeOfGates(result.judged);
}
