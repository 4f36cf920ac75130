/** The inner half of self-isolation: what the program does first once it runs inside its own namespaces. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { ExitCode, testbedError } from '../../errors.js';
import { raiseDescriptorLimit } from '../../sys/descriptors.js';
import { errno, errnoName, exitNow, mount } from '../../sys/libc.js';
import { searchPath } from '../find-command.js';
import type { Whereabouts } from './isolate.js';

/** Root of all scratch files: in memory, in this process's own mount namespace, gone with it. */
export const SCRATCH_ROOT = '/dev/shm/portparty';

/** <sys/mount.h>: no set-user-id programs, no device files. */
const MS_NOSUID_NODEV = 2 | 4;

/**
 * Makes the isolated process ready: its own scratch folder, as many descriptors as it may have, and an eye on the outer process.
 * `onInterrupt` is called when the user asks to end. When the outer process dies, this one ends at once, and the kernel
 * takes all of the PID namespace with it. Throws a PortPartyError (exit 3) where it cannot have a scratch folder.
 */
export function enterIsolated(onInterrupt: () => void): void {
  watchOuter(onInterrupt);
  process.env.PATH = searchPath();
  if (mount('tmpfs', '/dev/shm', 'tmpfs', MS_NOSUID_NODEV, 'mode=1777') !== 0)
    throw testbedError(`cannot mount a tmpfs of its own at /dev/shm: ${errnoName(errno())}`);
  mkdirSync(SCRATCH_ROOT);
  raiseDescriptorLimit();
  useSmallSocketTables();
}

/** A command's beginning that enters a network namespace of this process (`/proc/1/…`) from any other terminal. */
export async function entryFromOutside(netns: string): Promise<string> {
  const { pid, uid } = await new Promise<Whereabouts>((resolve) => {
    const listen = (message: Whereabouts | 'interrupt') => {
      if (message === 'interrupt') return;
      process.off('message', listen);
      resolve(message);
    };
    process.on('message', listen);
    process.send?.('whereabouts');
  });
  const net = netns.replace(/^\/proc\/1\//, `/proc/${pid}/`);
  // An ordinary user has rights over the network inside the run's own user namespace only.
  return uid === 0 ? `nsenter --net=${net}` : `nsenter --target ${pid} --user --preserve-credentials --net=${net}`;
}

function watchOuter(onInterrupt: () => void): void {
  if (!process.connected) exitNow(3);
  process.on('disconnect', () => exitNow(3));
  process.on('message', (message) => {
    if (message === 'interrupt') onInterrupt();
  });
  // The listeners alone would keep the process running for ever.
  process.channel?.unref();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onInterrupt);
  reportExitCode();
}

/**
 * Tells the outer process the exit code: `unshare` makes 1, "gates fail", of a process that was killed, and Node makes 1 of
 * an error that nobody caught.
 */
function reportExitCode(): void {
  let crashed = false;
  process.on('uncaughtExceptionMonitor', () => {
    crashed = true;
  });
  process.on('exit', (code) => {
    const exitCode: number = crashed ? ExitCode.testbed : code;
    process.send?.({ exitCode });
  });
}

/**
 * Gives each host a socket table of its own, small enough to be listed ten times a second: hosts made from here share the
 * machine's table of some 262,144 buckets otherwise, and a dump walks all of it (Documentation/networking/ip-sysctl.rst).
 */
function useSmallSocketTables(): void {
  try {
    writeFileSync('/proc/sys/net/ipv4/tcp_child_ehash_entries', '8192');
  } catch {
    // Kernels before 6.1 have one table for all; sampling is slower there and no less right.
  }
}
