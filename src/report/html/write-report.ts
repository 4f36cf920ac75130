/** Writes the page of a run: beside its record, or to a file of the user's choice. */
import { join } from 'node:path';
import { findRun } from '../../record/read-record.js';
import { readReport } from './read-report.js';
import { renderReport } from './render-report.js';
import { writePage } from './write-page.js';

/** Where runs and pages are. */
export interface WriteReportOptions {
  /** The folder that holds the runs, `results` unless said otherwise. */
  resultsDir?: string;
  /** The file to write, `report.html` in the run's folder unless said otherwise. */
  file?: string;
}

/**
 * Reads the record of a run, found as by `readRun`, and writes its page as one file that loads nothing; gives the file's path.
 * @throws PortPartyError (exit 2) when there is no such run, its record is damaged, or the file cannot be written
 */
export function writeReport(run?: string, { resultsDir, file }: WriteReportOptions = {}): string {
  const dir = findRun(run, resultsDir);
  const path = file ?? join(dir, 'report.html');
  writePage(path, renderReport(readReport(dir)));
  return path;
}
