/** Which processes hold the counted sockets: every descriptor of every process is a link with the socket's inode in its name (proc(5)). */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
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

/** Each link costs the kernel and us 8 µs together, so that of a process with more descriptors than this only so many are looked at. */
const SURVEYED = 1000;
const SURVEYED_ABOVE = 2000;
/** Multiples of it, modulo 1, lie evenly over the whole and follow no pattern that a program can have (the golden ratio). */
const EVENLY = 0.618_033_988_749_895;

/**
 * Looks through all processes, one per turn of the event loop. Unless `exact`, the ports of a process with thousands of descriptors
 * are estimated from a thousand of them, to a few percent.
 */
export async function countByProcess(inodes: ReadonlySet<number>, exact: boolean): Promise<ProcessCount> {
  const left = new Set(inodes);
  const processes: ProcessSample[] = [];
  let closed = 0;
  for (const name of readdirSync('/proc')) {
    if (left.size === 0) break;
    const pid = Number(name);
    if (!Number.isInteger(pid)) continue;
    const found = countDescriptors(pid, left, exact);
    if (found === undefined) closed++;
    else if (found.ports > 0) processes.push({ pid, command: commandOf(pid), ...found });
    await new Promise((resolve) => setImmediate(resolve));
  }
  processes.sort((a, b) => b.ports - a.ports || a.pid - b.pid);
  const seen = processes.reduce((sum, { ports }) => sum + ports, 0);
  const roughly = processes.some(({ estimated }) => estimated);
  return { processes, unseen: roughly && closed === 0 ? 0 : Math.max(0, inodes.size - seen), closed };
}

type Held = Pick<ProcessSample, 'ports' | 'estimated'>;
const NOTHING: Held = { ports: 0, estimated: false };

/** What a process holds of `left`; it is taken out, so that a socket shared with a child counts once. undefined where it is closed to us. */
function countDescriptors(pid: number, left: Set<number>, exact: boolean): Held | undefined {
  const folder = `/proc/${pid}/fd`;
  try {
    const size = exact ? 0 : tableSize(pid);
    return size > SURVEYED_ABOVE ? survey(folder, size, left) : countAll(folder, left);
  } catch (error) {
    // One that has just ended holds nothing.
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : NOTHING;
  }
}

function countAll(folder: string, left: Set<number>): Held {
  let ports = 0;
  for (const name of readdirSync(folder)) if (holds(`${folder}/${name}`, left)) ports++;
  return { ports, estimated: false };
}

/** Listing a folder of /proc makes every entry of it, so numbers are tried instead: there is a descriptor behind it, or there is none. */
function survey(folder: string, size: number, left: Set<number>): Held {
  // Closed to us, it must not look like a process without sockets.
  readlinkSync(`${folder}/../cwd`);
  let ports = 0;
  for (let one = 1; one <= SURVEYED; one++)
    if (holds(`${folder}/${Math.floor(((one * EVENLY) % 1) * size)}`, left)) ports++;
  return { ports: Math.round((ports / SURVEYED) * size), estimated: true };
}

/** Size of a process's table of descriptors; 0 where it has few of them, whatever the table's size. */
function tableSize(pid: number): number {
  // The number of descriptors since kernel 6.2, 0 before.
  const { size } = statSync(`/proc/${pid}/fd`);
  if (size > 0 && size <= SURVEYED_ABOVE) return 0;
  return Number(/^FDSize:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1] ?? 0);
}

function holds(link: string, left: Set<number>): boolean {
  let target: string;
  try {
    target = readlinkSync(link);
  } catch {
    return false;
  }
  return target.startsWith('socket:[') && left.delete(Number(target.slice(8, -1)));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return '?';
  }
}
