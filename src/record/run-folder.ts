/** The folder of a record: its name sorts by time, says what it is, and never clashes. */
import { randomInt } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { usageError } from '../errors.js';
import { fileNamePart, makeFolders } from './run-files.js';

const REASONS: Record<string, string> = {
  EACCES: 'writing here is not permitted',
  ENOTDIR: 'a file is in the way',
  ENOENT: 'no folder can be made here',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

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
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? undefined : REASONS[code];
    throw usageError(`cannot make the folder of the run: ${reason ?? code}`, dir, 'name another folder with --out');
  }
  return { id, dir };
}
