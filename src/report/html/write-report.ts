/** Writes the page of a run: beside its record, or to a file of the user's choice. */
import { join } from 'node:path';
import { usageError } from '../../errors.js';
import { findRun } from '../../record/read-record.js';
import { makeFolders, writeWhole } from '../../record/run-files.js';
import { readReport } from './read-report.js';
import { renderReport } from './render-report.js';

/** Where runs and pages are. */
export interface WriteReportOptions {
  /** The folder that holds the runs, `results` unless said otherwise. */
  resultsDir?: string;
  /** The file to write, `report.html` in the run's folder unless said otherwise. */
  file?: string;
}

const REASONS: Record<string, string> = {
  EACCES: 'writing here is not permitted',
  EISDIR: 'this is a folder',
  ENOTDIR: 'a file is in the way',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
};

/**
 * Reads the record of a run, found as by `readRun`, and writes its page as one file that loads nothing; gives the file's path.
 * @throws PortPartyError (exit 2) when there is no such run, its record is damaged, or the file cannot be written
 */
export function writeReport(run?: string, { resultsDir, file }: WriteReportOptions = {}): string {
  const dir = findRun(run, resultsDir);
  const path = file ?? join(dir, 'report.html');
  const page = renderReport(readReport(dir));
  try {
    makeFolders(join(path, '..'));
    writeWhole(path, page);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? message : (REASONS[code] ?? code);
    throw usageError(`cannot write the page: ${reason}`, path, 'name another file with --out');
  }
  return path;
}
