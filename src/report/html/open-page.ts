/** Opens a file in the user's browser, where there is one. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';
import { usageError } from '../../errors.js';

/** How long a command that opens a page may take before it counts as the browser itself, ms. */
const GIVEN_MS = 5000;

/**
 * Hands the page to the browser and does not wait for it to be closed.
 * @throws PortPartyError (exit 2) when there is no browser, with what to do
 */
export async function openPage(file: string, environment = process.env, platform = process.platform): Promise<void> {
  const commands = openers(environment, platform);
  const hint = 'open it in any browser, here or elsewhere: it is one file that needs nothing beside it';
  if (commands.length === 0) throw usageError('there is no desktop here to open it on', file, hint);
  for (const command of commands) {
    const code = await handOver(command, resolve(file));
    if (code === 'missing') continue;
    if (code !== 0) throw usageError(`${command[0]} could not open it (exit ${code})`, file, hint);
    return;
  }
  const names = commands.map(([name]) => name).join(' or ');
  throw usageError(`there is no ${names} to open it with`, file, hint);
}

/** The exit code of a command that came to its end soon; 0 where it goes on, as the browser itself does. */
async function handOver([name, ...given]: string[], file: string): Promise<number | null | 'missing'> {
  const args = given.map((arg) => arg.replaceAll('%s', file));
  if (!given.some((arg) => arg.includes('%s'))) args.push(file);
  const child = spawn(name, args, { stdio: 'ignore', detached: true });
  const settled = new AbortController();
  const timer = setTimeout(() => settled.abort(), GIVEN_MS);
  try {
    const [code] = (await once(child, 'exit', { signal: settled.signal })) as [number | null];
    return code;
  } catch (error) {
    if ((error as Error).name === 'AbortError') return 0;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'missing';
    throw error;
  } finally {
    clearTimeout(timer);
    child.unref();
  }
}

/** `BROWSER` is what a user has chosen; otherwise what the desktop has for files. */
function openers(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform): string[][] {
  if (environment.BROWSER) return chosen(environment.BROWSER);
  if (platform === 'darwin') return [['open']];
  if (platform === 'win32') return [['cmd', '/c', 'start', '']];
  return environment.DISPLAY || environment.WAYLAND_DISPLAY ? [['xdg-open']] : [];
}

/** As xdg-open and others read it: a list of commands, of which the first that is there is taken; `%s` in one stands for the page. */
function chosen(commands: string): string[][] {
  return commands
    .split(delimiter)
    .map((command) => command.trim())
    .filter((command) => command !== '')
    .map((command) => (existsSync(command) ? [command] : command.split(/\s+/)));
}
