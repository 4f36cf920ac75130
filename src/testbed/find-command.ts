/** Finds a program as the testbed's daemons would: in PATH, and in the sbin folders that an ordinary user's PATH often lacks. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** PATH with the folders where distributions put `ip`, `nft`, `conntrack` and `nginx`. */
export function searchPath(): string {
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...path, '/usr/local/sbin', '/usr/sbin', '/sbin'])].join(delimiter);
}

/** Full path of a program, or undefined where there is none. */
export function findCommand(name: string): string | undefined {
  for (const folder of searchPath().split(delimiter)) {
    const path = join(folder, name);
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Not in this folder.
    }
  }
  return undefined;
}
