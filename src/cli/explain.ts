/** `portparty explain [run]`: why requests were lost, or one request's way hop by hop; from the record alone. */
import { type Command, InvalidArgumentError } from 'commander';

interface Options {
  request?: string;
  variant?: string[];
  trial?: number;
  json?: boolean;
  out: string;
}

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('explain')
    .summary('say why requests of a run were lost')
    .description(
      'tell the story of a run: which resource ran out, when, how full it was, who suffered, what would help; ' +
        'or with --request the way of one request, hop by hop',
    )
    .argument('[run]', "a run's folder, its id, or `latest`", 'latest')
    .option('--request <id>', 'one request (0.1.509.0), or a visitor (0.1.509, or 509) to list its requests')
    .option('--variant <name>', 'only this variant; may be repeated', (name, all: string[] = []) => [...all, name])
    .option('--trial <n>', 'only this trial', readTrial)
    .option('--json', 'print the same as JSON')
    .option('--out <dir>', 'the folder that holds the runs', 'results')
    .addHelpText(
      'after',
      '\nExamples:\n  $ portparty explain\n  $ portparty explain latest --variant as-shipped\n  $ portparty explain --request 0.1.509.0\n',
    )
    .action(async (run: string, options: Options) => explain(run, options));
}

async function explain(run: string, options: Options): Promise<void> {
  const { findRun } = await import('../record/read-record.js');
  const dir = findRun(run, options.out);
  const text = options.request === undefined ? await story(dir, options) : await request(dir, options.request, options);
  process.stdout.write(text);
}

async function request(dir: string, id: string, { variant, trial, json }: Options): Promise<string> {
  const { findById } = await import('../record/find-request.js');
  const { renderRequest, renderVisitor } = await import('../report/explain/way-text.js');
  const { terminalOptions } = await import('../report/terminal.js');
  const result = findById(dir, id, { variants: variant, trial });
  if (json) return `${JSON.stringify(result.kind === 'visitor' ? result.requests : result.found, null, 2)}\n`;
  const options = terminalOptions(process.stdout);
  return result.kind === 'visitor' ? renderVisitor(result.requests, options) : renderRequest(result.found, options);
}

async function story(dir: string, { variant, trial, json }: Options): Promise<string> {
  const { readRun } = await import('../record/read-record.js');
  const { readStories } = await import('../record/read-stories.js');
  const { tellStory } = await import('../analysis/story.js');
  const { groupBy } = await import('../collections.js');
  const record = readRun(dir);
  const { trials, missing } = readStories(dir, record, { variants: variant, trial });
  const stories = trials.map((one) => tellStory(one.read()));
  if (json) return `${JSON.stringify({ run: record.id, scenario: record.scenario, stories, missing }, null, 2)}\n`;
  const { renderStories } = await import('../report/explain/story-text.js');
  const { terminalOptions } = await import('../report/terminal.js');
  // Of several trials the one that lost the most has the most to tell.
  const told = [...groupBy(stories, (one) => one.variant).values()].map((all) => ({
    story: all.reduce((most, one) => (one.requests.dropped > most.requests.dropped ? one : most)),
    trials: all.length,
  }));
  return renderStories(record, told, missing, terminalOptions(process.stdout));
}

function readTrial(text: string): number {
  const trial = Number(text);
  if (!Number.isInteger(trial) || trial < 1) throw new InvalidArgumentError('it must be a whole number, 1 or more.');
  return trial;
}
