/** CPU time of daemons and their children, from /proc (proc(5)); no cgroups needed. */
import { readdirSync } from 'node:fs';
import { readProc } from '../sys/proc-file.js';

/** USER_HZ: what the kernel counts CPU time in towards programs, 100 on every architecture that Node.js runs on. */
const TICKS_PER_SECOND = 100;

/** CPU seconds, user and system, of processes, their living descendants and those that they have waited for; each counted once. */
export function cpuSeconds(pids: Iterable<number>): number {
  let ticks = 0;
  // One that has ended has its time among that of its parent's children, if its parent is watched.
  for (const pid of processTree(pids)) ticks += parseCpuTicks(readProc(`/proc/${pid}/stat`));
  return ticks / TICKS_PER_SECOND;
}

/** Every process of this PID namespace but this one and the commands that it runs. */
export function otherProcesses(): number[] {
  const own = String(process.pid);
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== own)
    .filter((pid) => parentOf(readProc(`/proc/${pid}/stat`)) !== own)
    .map(Number);
}

/** Processes and their living descendants, each once. */
export function processTree(pids: Iterable<number>): Set<number> {
  const tree = new Set<number>();
  const add = (pid: number) => {
    if (tree.has(pid)) return;
    tree.add(pid);
    for (const child of readProc(`/proc/${pid}/task/${pid}/children`).split(' ')) if (child !== '') add(Number(child));
  };
  for (const pid of pids) add(pid);
  return tree;
}

function parentOf(stat: string): string | undefined {
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
}

/** utime + stime + cutime + cstime of the text of /proc/PID/stat; 0 for ''. */
export function parseCpuTicks(stat: string): number {
  if (stat === '') return 0;
  // The second field is the program's name in parentheses and can hold anything, spaces and parentheses included.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Number(fields[11]) + Number(fields[12]) + Number(fields[13]) + Number(fields[14]);
}
