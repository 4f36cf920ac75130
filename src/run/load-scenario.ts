/** A scenario file and what it names, read from disk: the checking itself (scenario/parse.ts) takes text. */
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { usageError } from '../errors.js';
import { type LoadOptions, parseScenario } from '../scenario/parse.js';
import type { Scenario } from '../scenario/scenario.js';

/**
 * Reads and checks a scenario file and the configuration files that it names.
 * @throws PortPartyError (exit 2) when there is no such file, or with the place of each mistake in it
 */
export async function loadScenario(file: string, options: LoadOptions = {}): Promise<Scenario> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(
      reasonOf(error),
      file,
      'portparty list shows the ready scenarios, portparty init writes a new one',
    );
  }
  return parseScenario(text, file, options, (path) => {
    try {
      return readFileSync(resolve(dirname(file), path), 'utf8');
    } catch (error) {
      throw new Error(reasonOf(error), { cause: error });
    }
  });
}

function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const reasons: Record<string, string> = {
    ENOENT: 'there is no such file',
    EISDIR: 'it is a folder',
    EACCES: 'reading it is not permitted',
  };
  return (code && reasons[code]) ?? message;
}
