/** Writes the page over a results folder into it. */
import { basename, join, resolve } from 'node:path';
import { writePage } from '../write-page.js';
import { readIndex } from './read-index.js';
import { renderIndexPage } from './render-index-page.js';

/**
 * Reads every run of a results folder and writes `index.html` into it; gives the file's path. The same records give the same bytes.
 * @throws PortPartyError (exit 2) when there is no such folder, no run in it, or the file cannot be written
 */
export function writeIndex(dir: string): string {
  const path = join(dir, 'index.html');
  writePage(path, renderIndexPage(readIndex(dir), basename(resolve(dir))));
  return path;
}
