/** `portparty schema`: prints the JSON Schema of scenario files. */
import type { Command } from 'commander';

const EXAMPLE = `
Example:
  $ portparty schema > scenario.schema.json

Then, as the first line of a scenario, for editors with a YAML language server:
  # yaml-language-server: $schema=scenario.schema.json
`;

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('schema')
    .description('print the JSON Schema of scenario files, for editors')
    .option('--json', 'accepted for uniformity: the output is always JSON')
    .addHelpText('after', EXAMPLE)
    .action(async () => {
      const { scenarioJsonSchema } = await import('../scenario/json-schema.js');
      process.stdout.write(`${JSON.stringify(scenarioJsonSchema(), null, 2)}\n`);
    });
}
