/** Opens a file in the user's browser, where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { usageError } from '../../errors.js';

/** How long a command that opens a page may take before it counts as the browser itself, ms. */
const GIVEN_MS = 5000;

/**
 * Hands the page to the browser and does not wait for it to be closed.
 * @throws PortPartyError (exit 2) when there is no browser, with what to do
 */
export async function openPage(file: string, environment = process.env, platform = process.platform): Promise<void> {
  const command = opener(environment, platform);
  const hint = 'open it in any browser, here or elsewhere: it is one file that needs nothing beside it';
  if (command === undefined) throw usageError('there is no desktop here to open it on', file, hint);
  const child = spawn(command[0], [...command.slice(1), resolve(file)], { stdio: 'ignore', detached: true });
  const settled = new AbortController();
  const timer = setTimeout(() => settled.abort(), GIVEN_MS);
  try {
    const [code] = (await once(child, 'exit', { signal: settled.signal })) as [number | null];
    if (code !== 0) throw usageError(`${command[0]} could not open it (exit ${code})`, file, hint);
  } catch (error) {
    if ((error as Error).name === 'AbortError') return;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw usageError(`there is no ${command[0]} to open it with`, file, hint);
    throw error;
  } finally {
    clearTimeout(timer);
    child.unref();
  }
}

/** `BROWSER` is what a user has chosen; otherwise what the desktop has for files. */
function opener(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[] | undefined {
  if (environment.BROWSER) return [environment.BROWSER];
  if (platform === 'darwin') return ['open'];
  if (platform === 'win32') return ['cmd', '/c', 'start', ''];
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? ['xdg-open'] : undefined;
}
