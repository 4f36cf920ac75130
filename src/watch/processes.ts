/** Which processes hold the counted sockets: every descriptor of every process is a link with the socket's inode in its name (proc(5)). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ProcessSample } from './sample.js';

/** What was seen of the processes. */
export interface ProcessCount {
  /** All that hold at least one, the most first. */
  processes: ProcessSample[];
  /** Sockets whose process was not seen. */
  unseen: number;
  /** Processes that this user may not look into. */
  closed: number;
}

/** Looks through all processes, one per turn of the event loop: with many descriptors it takes tenths of a second. */
export async function countByProcess(inodes: ReadonlySet<number>): Promise<ProcessCount> {
  const left = new Set(inodes);
  const processes: ProcessSample[] = [];
  let closed = 0;
  for (const name of readdirSync('/proc')) {
    if (left.size === 0) break;
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const ports = countDescriptors(pid, left);
    if (ports === undefined) closed++;
    else if (ports > 0) processes.push({ pid, command: commandOf(pid), ports });
    await new Promise((resolve) => setImmediate(resolve));
  }
  processes.sort((a, b) => b.ports - a.ports || a.pid - b.pid);
  return { processes, unseen: left.size, closed };
}

/** How many of `left` a process holds; they are taken out, so that a socket shared with a child counts once. undefined where it is closed to us. */
function countDescriptors(pid: number, left: Set<number>): number | undefined {
  let names: string[];
  try {
    names = readdirSync(`/proc/${pid}/fd`);
  } catch (error) {
    // One that has just ended holds nothing.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : 0;
  }
  let ports = 0;
  for (const name of names) {
    const inode = inodeOf(`/proc/${pid}/fd/${name}`);
    if (inode !== undefined && left.delete(inode)) ports++;
  }
  return ports;
}

function inodeOf(link: string): number | undefined {
  let target: string;
  try {
    target = readlinkSync(link);
  } catch {
    return undefined;
  }
  return target.startsWith('socket:[') ? Number(target.slice(8, -1)) : undefined;
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '?';
  }
}
