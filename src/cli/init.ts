/** `portparty init`: writes a commented scenario to start from. */
import { writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { usageError } from '../errors.js';

/** Adds the verb. */
export function register(program: Command): void {
  program
    .command('init')
    .description('write a new scenario, commented, to start from')
    .argument('[name]', "the scenario's name; the file is <name>.yaml", 'my-sale')
    .addHelpText('after', '\nExample:\n  $ portparty init spring-sale\n  $ portparty run spring-sale.yaml\n')
    .action(async (name: string) => {
      const { starterScenario } = await import('../scenario/starter.js');
      const file = `${name}.yaml`;
      await writeNew(file, starterScenario(name));
      process.stdout.write(`Wrote ${file}. Run it:\n  portparty run ${file}\n`);
    });
}

async function writeNew(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text, { flag: 'wx' });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST')
      throw usageError('the file is there already, and is left as it is', file, 'give another name');
    throw usageError(`can't write it: ${message}`, file);
  }
}
