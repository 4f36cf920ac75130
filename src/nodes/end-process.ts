/** How a daemon is brought to its end: asked, waited for, and then made to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { HostProcess } from '../testbed/host.js';

/** How long a daemon may take to end, and to log what is under way, unless said otherwise, ms. */
const END_WITHIN_MS = 5_000;

/** Waits for its end for so many ms at most; resolves to whether it has come. */
export async function endsWithin(process: HostProcess, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const ended = await Promise.race([
    process.exited.then(() => true),
    sleep(ms, false, { signal: timer.signal }).catch(() => false),
  ]);
  timer.abort();
  return ended;
}

/** Ends it by SIGTERM, and by SIGKILL where it does not end within so many ms. One that has ended is left alone. */
export async function endProcess(process: HostProcess, withinMs = END_WITHIN_MS): Promise<void> {
  if (!process.running) return;
  await process.signal('SIGTERM');
  if (await endsWithin(process, withinMs)) return;
  await process.signal('SIGKILL');
  await process.exited;
}

/** Ends several, one after the other. */
export async function endProcesses(processes: HostProcess[]): Promise<void> {
  for (const process of processes) await endProcess(process);
}
