/** The folder of a record: its name sorts by time, says what it is, and never clashes. */
import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../errors.js';
import { fileNamePart, makeFolders, whyNotWritten } from './run-files.js';

/**
 * Makes `<outDir>/<id>`: UTC time, name, four random characters.
 * @throws PortPartyError (exit 2) when the folder cannot be made
 */
export function makeRunFolder(outDir: string, name: string, now: Date): { id: string; dir: string } {
  const time = now.toISOString().replace(/[-:]|\.\d+/g, '');
  const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
  const random = Array.from({ length: 4 }, () => letters[randomInt(letters.length)]).join('');
  const id = `${time}-${fileNamePart(name)}-${random}`;
  const dir = join(outDir, id);
  try {
    makeFolders(outDir);
    mkdirSync(dir);
  } catch (error) {
    throw usageError(
      `cannot make the folder of the run: ${whyNotWritten(error)}`,
      dir,
      'name another folder with --out',
    );
  }
  return { id, dir };
}
