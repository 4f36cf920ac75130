/** Whose containers they are: the process that made them, written into a label so that a later one can tell what is left over. */
import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Label of everything that the driver makes; its value is the owner. */
export const OWNER_LABEL = 'portparty.owner';

/** `machine/process id/start of the process`: a number that the kernel gave away again has another start. */
export function ownOwner(): string {
  return `${machine()}/${process.pid}/${startOf(process.pid) ?? 0}`;
}

/** Whether an owner still runs; `elsewhere` for one of another machine, of which this one cannot know. */
export function ownerState(owner: string): 'running' | 'gone' | 'elsewhere' {
  const [where, pid, start] = owner.split('/');
  const here = machine();
  // Containers, networks and volumes outlast a restart of the machine, and no process does.
  if (where !== here) return restarted(where, here) ? 'gone' : 'elsewhere';
  if (process.platform !== 'linux') return isThere(Number(pid)) ? 'running' : 'gone';
  return startOf(Number(pid)) === Number(start) ? 'running' : 'gone';
}

/** This machine, its boot and this PID namespace, `installation.boot.namespace`: a process id means something only there. */
function machine(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return `${installation()}.${boot}.${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return hostname();
  }
}

/** What stays over a restart, '' where nothing tells: the machine's id, never shown as it is (machine-id(5)), and its name. */
function installation(): string {
  try {
    const id = readFileSync('/etc/machine-id', 'utf8').trim();
    return id === '' ? '' : createHash('sha256').update(`portparty ${id} ${hostname()}`).digest('hex').slice(0, 12);
  } catch {
    return '';
  }
}

/** True when both are of one machine, before and after a restart. */
function restarted(before: string, now: string): boolean {
  const [earlier, later] = [before, now].map((where) => WHERE.exec(where)?.groups);
  return earlier !== undefined && earlier.machine === later?.machine && earlier.boot !== later.boot;
}

/** What `machine` gives where something tells machines apart. */
const WHERE = /^(?<machine>[0-9a-f]{12})\.(?<boot>[0-9a-f-]{36})\.\d+$/;

/** Clock ticks since boot at which a process began: field 22 of /proc/<pid>/stat (proc(5)); undefined when it is gone. */
function startOf(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold spaces; the fields behind it do not.
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
