/** Starts a program inside fresh namespaces, the one way per kind of user in which that can be done. */
import { type ChildProcess, type StdioOptions, spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { testbedError } from '../../errors.js';
import { findCommand } from '../find-command.js';

/**
 * How the namespaces are made.
 * `mapped-root`: an ordinary user becomes root of a user namespace that knows only this user.
 * `identity`: root keeps its rights over all files in a user namespace that maps every id to itself.
 * `no-user-namespace`: root where user namespaces are forbidden.
 */
export type IsolationMode = 'mapped-root' | 'identity' | 'no-user-namespace';

const NAMESPACES = ['--mount', '--pid', '--fork', '--kill-child', '--net', '--mount-proc'];

/** Descriptor of the channel through which the `identity` launch waits for its id maps; 3 is Node's own IPC channel. */
const MAP_FD = 4;

/**
 * Waits for the id maps, then makes the other namespaces. `unshare --user` alone would leave the program without
 * capabilities: they come with the exec that follows the maps (user_namespaces(7)).
 */
const WAIT_FOR_MAPS = `echo >&${MAP_FD}; read _ <&${MAP_FD}; exec ${MAP_FD}>&-; exec unshare ${NAMESPACES.join(' ')} -- "$@"`;

/** Starts a program as PID 1 of fresh namespaces. Descriptors 0 to 3 as `stdio` says. Throws when the id maps cannot be written. */
export async function launchIsolated(
  mode: IsolationMode,
  argv: string[],
  stdio: StdioOptions & unknown[],
  env: NodeJS.ProcessEnv,
): Promise<ChildProcess> {
  const command: string[] = findCommand('setpriv') ? ['setpriv', '--pdeathsig', 'KILL'] : [];
  if (mode === 'mapped-root') command.push('unshare', '--user', '--map-root-user', ...NAMESPACES, '--', ...argv);
  if (mode === 'no-user-namespace') command.push('unshare', ...NAMESPACES, '--', ...argv);
  if (mode === 'identity') command.push('unshare', '--user', '--', 'sh', '-c', WAIT_FOR_MAPS, 'sh', ...argv);

  // A session of its own: Ctrl-C and hang-ups of the terminal reach the outer process alone, which passes them on.
  const child = spawn(command[0], command.slice(1), {
    stdio: [...stdio, mode === 'identity' ? 'pipe' : 'ignore'] as StdioOptions,
    env,
    detached: true,
  });
  if (mode === 'identity') await writeIdentityMaps(child);
  return child;
}

/** Maps every id that this process knows to itself, then lets the launch go on. */
async function writeIdentityMaps(child: ChildProcess): Promise<void> {
  const channel = child.stdio[MAP_FD] as Duplex;
  channel.on('error', () => {});
  await new Promise<void>((resolve) => {
    channel.once('data', () => resolve());
    channel.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  try {
    for (const map of ['uid_map', 'gid_map']) writeFileSync(`/proc/${child.pid}/${map}`, identityOf(map));
  } catch (error) {
    child.kill('SIGKILL');
    throw testbedError('cannot write the id maps of a new user namespace', undefined, undefined, error);
  }
  channel.end('\n');
}

/** `inside outside count` of this process's own map, as `inside inside count`: ids mean the same in the new namespace. */
function identityOf(map: string): string {
  return readFileSync(`/proc/self/${map}`, 'utf8')
    .trim()
    .split('\n')
    .map((line) => {
      const [inside, , count] = line.trim().split(/\s+/);
      return `${inside} ${inside} ${count}\n`;
    })
    .join('');
}
