/** Writes a page to its file, whole or not at all; what hinders is said in words. */
import { dirname } from 'node:path';
import { usageError } from '../../errors.js';
import { makeFolders, whyNotWritten, writeWhole } from '../../record/run-files.js';

/**
 * Writes a page, with the folders above it that are missing.
 * @throws PortPartyError (exit 2) when the file cannot be written
 */
export function writePage(path: string, page: string): void {
  try {
    makeFolders(dirname(path));
    writeWhole(path, page);
  } catch (error) {
    throw usageError(`cannot write the page: ${whyNotWritten(error)}`, path, 'name another file with --out');
  }
}
