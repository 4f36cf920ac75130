/** `portparty list`: the ready scenarios, what each shows, and their variants. */
import { relative } from 'node:path';
import type { Command } from 'commander';
import pc from 'picocolors';
import type { Scenario } from '../scenario/scenario.js';

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('list')
    .description('list the ready scenarios with their variants')
    .option('--json', 'print an array of { name, file, description, variants }')
    .addHelpText('after', '\nExample:\n  $ portparty list\n  $ portparty run scenarios/ticket-sale.yaml\n')
    .action(async ({ json }: { json?: boolean }) => {
      const { readyScenarios } = await import('./ready-scenarios.js');
      const entries = (await readyScenarios()).map(toEntry);
      process.stdout.write(json ? `${JSON.stringify(entries, null, 2)}\n` : inText(entries));
    });
}

interface Entry {
  name: string;
  /** From where the command was typed, so that it can be typed again. */
  file: string;
  description: string;
  variants: string[];
}

function toEntry({ name, file, description, variants }: Scenario): Entry {
  return { name, file: relative('', file), description, variants: variants.map((variant) => variant.name) };
}

function inText(entries: Entry[]): string {
  if (entries.length === 0) return 'There are no ready scenarios; portparty init writes a new one.\n';
  const blocks = entries.map(({ name, file, description, variants }) =>
    [
      `${pc.bold(name)}  ${description}`,
      `  variants: ${variants.join(', ')}`,
      `  ${pc.dim('$')} portparty run ${file}`,
    ].join('\n'),
  );
  return `${blocks.join('\n\n')}\n`;
}
