/** Writes the page of several runs: beside the folder of the first one, or to a file of the user's choice. */
import { join } from 'node:path';
import { ownPages } from '../own-pages.js';
import { writePage } from '../write-page.js';
import { readComparison } from './read-comparison.js';
import { renderComparisonPage } from './render-comparison-page.js';

/** Where runs and pages are. */
export interface WriteComparisonOptions {
  /** The folder that holds the runs, `results` unless said otherwise. */
  resultsDir?: string;
  /** The file to write, `comparison.html` beside the first run's folder unless said otherwise. */
  file?: string;
}

/**
 * Reads the records of two to twelve runs, found as by `readRun`, and writes one page that shows them beside each other; gives the file's path.
 * @throws PortPartyError (exit 2) when one is not there, is named twice or is damaged, or the file cannot be written
 */
export function writeComparison(runs: readonly string[], { resultsDir, file }: WriteComparisonOptions = {}): string {
  const data = readComparison(runs, resultsDir);
  // By `..`, as the run may be named as `.`.
  const path = file ?? join(data.runs[0].dir, '..', 'comparison.html');
  const links = ownPages(
    path,
    data.runs.map(({ dir, record }) => ({ id: record.id, dir })),
  );
  writePage(path, renderComparisonPage(data, links));
  return path;
}
