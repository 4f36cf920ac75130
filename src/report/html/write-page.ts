/** Writes a page to its file, whole or not at all; what hinders is said in words. */
import { dirname } from 'node:path';
import { usageError } from '../../errors.js';
import { makeFolders, writeWhole } from '../../record/run-files.js';

const REASONS: Record<string, string> = {
  EACCES: 'writing here is not permitted',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a file is in the way',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

/**
 * Writes a page, with the folders above it that are missing.
 * @throws PortPartyError (exit 2) when the file cannot be written
 */
export function writePage(path: string, page: string): void {
  try {
    makeFolders(dirname(path));
    writeWhole(path, page);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? message : (REASONS[code] ?? code);
    throw usageError(`cannot write the page: ${reason}`, path, 'name another file with --out');
  }
}
