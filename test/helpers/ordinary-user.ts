/** Runs a command as an ordinary user, where the tests run as root. */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const BUILT = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** What goes before a command line to run it as nobody, without any privilege. */
export const AS_NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];

/** The same, as a member of one group. */
export function asNobodyOf(group: number): string[] {
  return [...AS_NOBODY.slice(0, -1), `--groups=${group}`];
}

/** True where the tests run as root and the user `nobody` can read the build; false in a clone below root's own home. */
export function canLowerRights(): boolean {
  if (process.getuid?.() !== 0) return false;
  return spawnSync(AS_NOBODY[0], [...AS_NOBODY.slice(1), 'test', '-r', BUILT]).status === 0;
}
