/** The way from a page to the pages of single runs: relative, so that the folder can be moved, copied and sent. */
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

/** By the run's id a relative URL to its `report.html`, for those runs that have one. */
export function ownPages(page: string, runs: { id: string; dir: string }[]): Record<string, string> {
  const links: Record<string, string> = {};
  for (const { id, dir } of runs) {
    // Through `latest` the way would change with the next run.
    const file = join(existsSync(dir) ? realpathSync(dir) : dir, 'report.html');
    if (existsSync(file)) links[id] = relativeUrl(page, file);
  }
  return links;
}

function relativeUrl(page: string, file: string): string {
  const folder = dirname(resolve(page));
  const way = relative(existsSync(folder) ? realpathSync(folder) : folder, file);
  // A first part with a colon would be read as a scheme.
  const parts = way.split(sep).map(encodeURIComponent);
  return parts[0] === '..' ? parts.join('/') : `./${parts.join('/')}`;
}
