/** Whether this machine lets the program isolate itself; where not, which setting forbids it and the ways out. */
import { readFileSync } from 'node:fs';
import { findCommand } from '../find-command.js';
import { type IsolationMode, launchIsolated } from './launch.js';

/** The answer: how it can be done, or why not and what to do. */
export type IsolationAbility = { ok: true; mode: IsolationMode } | { ok: false; reason: string; waysOut: string[] };

/** Tries it out by running `true` in fresh namespaces (some 10 ms). */
export async function canIsolate(): Promise<IsolationAbility> {
  if (process.platform !== 'linux')
    return {
      ok: false,
      reason: `network namespaces need Linux, and this is ${process.platform}`,
      waysOut: ['run it on a Linux machine or in a Linux virtual machine'],
    };
  if (!findCommand('unshare'))
    return {
      ok: false,
      reason: 'the command unshare is missing',
      waysOut: ['install the package util-linux'],
    };
  const modes: IsolationMode[] = process.getuid?.() === 0 ? ['identity', 'no-user-namespace'] : ['mapped-root'];
  let words = '';
  for (const mode of modes) {
    const failure = await tryMode(mode);
    if (failure === undefined) return { ok: true, mode };
    words = failure;
  }
  return { ok: false, ...explain(words) };
}

/** undefined when it works, else the words of whoever refused. */
async function tryMode(mode: IsolationMode): Promise<string | undefined> {
  try {
    const child = await launchIsolated(mode, ['true'], ['ignore', 'ignore', 'pipe', 'ignore'], process.env);
    let words = '';
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      words += text;
    });
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('close', resolve);
      child.once('error', reject);
    });
    return code === 0 ? undefined : words.trim() || `unshare ended with exit code ${code}`;
  } catch (error) {
    return (error as Error).message;
  }
}

/** Settings that forbid user namespaces, in the order in which the kernel asks them: file, forbidding value, what lifts it. */
const SETTINGS: [name: string, forbids: string, lift: string][] = [
  ['user.max_user_namespaces', '0', 'sudo sysctl -w user.max_user_namespaces=15000'],
  ['user.max_net_namespaces', '0', 'sudo sysctl -w user.max_net_namespaces=15000'],
  ['kernel.unprivileged_userns_clone', '0', 'sudo sysctl -w kernel.unprivileged_userns_clone=1'],
  [
    'kernel.apparmor_restrict_unprivileged_userns',
    '1',
    'sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0',
  ],
];

/** The setting in the way and the ways out, from the refusal's words and the machine's settings. */
export function explain(
  words: string,
  read: (path: string) => string = readText,
): { reason: string; waysOut: string[] } {
  const asRoot = process.getuid?.() === 0;
  for (const [name, forbids, lift] of SETTINGS)
    if (read(`/proc/sys/${name.replaceAll('.', '/')}`).trim() === forbids)
      return {
        reason: `${name}=${forbids} forbids ${asRoot ? '' : 'unprivileged '}user namespaces`,
        waysOut: asRoot ? [lift] : [lift, 'run it with sudo'],
      };
  // Seccomp: 2 is a filter, as container runtimes set one (proc(5)).
  if (/^Seccomp:\s*2$/m.test(read('/proc/self/status')))
    return {
      reason: `a seccomp filter, probably a container's, forbids new namespaces (${words})`,
      waysOut: [
        'start the container with --privileged, or with --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined',
        'run it outside the container',
      ],
    };
  return {
    reason: `this system refuses new namespaces (${words})`,
    waysOut: asRoot ? ['run it on another machine or in a virtual machine'] : ['run it with sudo'],
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
