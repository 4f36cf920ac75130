/**
 * What a run could leave behind. The kernel removes everything of a testbed with its processes, so this is little:
 * an isolated process whose outer process is gone (where `setpriv` was missing and the event loop hung), and in the folder
 * of results a link to a run that was deleted, half-written files, and run folders without a record.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, rmdirSync, statSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';

/** A thing to remove, and how. */
export interface Leftover {
  what: 'process' | 'link' | 'file' | 'folder';
  /** Process id or path. */
  name: string;
  why: string;
  /** Ends the process by SIGKILL, or removes the path. Throws the system's error where that is refused. */
  remove(): void;
}

/** Everything left over: this user's processes, and files in `results`. Files are only judged while no run is under way. */
export function findLeftovers(results: string): { found: Leftover[]; underWay: number[] } {
  const inner = isolatedProcesses();
  const orphans = inner.filter((pid) => !hasOuter(pid));
  const underWay = inner.filter((pid) => !orphans.includes(pid));
  const found = orphans.map(
    (pid): Leftover => ({
      what: 'process',
      name: String(pid),
      why: 'an isolated run whose outer process is gone',
      remove: () => killIsolated(pid),
    }),
  );
  return { found: underWay.length > 0 ? found : [...found, ...filesLeftIn(results)], underWay };
}

/** Isolated inner processes as this PID namespace numbers them; those of other users cannot be read and are left out. */
function isolatedProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      // PID 1 of a PID namespace below ours: the last number of NSpid, with at least one before it.
      const numbers = /^NSpid:\s+(.*)$/m.exec(read(`/proc/${pid}/status`))?.[1].split(/\s+/) ?? [];
      return numbers.length > 1 && numbers.at(-1) === '1' && isMarked(pid);
    });
}

function isMarked(pid: number): boolean {
  return read(`/proc/${pid}/environ`).split('\0').includes('PORTPARTY_ISOLATED=1');
}

/**
 * The outer process is the parent of `unshare`, which is the parent of the inner one, and runs on the same binary. Once it
 * is gone the kernel gives `unshare` another parent. What cannot be read counts as an outer process: nothing is ended on a guess.
 */
function hasOuter(inner: number): boolean {
  const [own, outer] = [binaryOf(inner), binaryOf(parentOf(parentOf(inner)))];
  return own === undefined || outer === undefined || own === outer;
}

function parentOf(pid: number): number {
  return Number(/^PPid:\s+(\d+)$/m.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

function binaryOf(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/exe`);
  } catch {
    return undefined;
  }
}

function killIsolated(pid: number): void {
  // The number may have been given to another process since.
  if (isMarked(pid)) process.kill(pid, 'SIGKILL');
}

/** What runs left in the folder of results: links to nowhere, half-written files, folders without a record. */
export function filesLeftIn(results: string): Leftover[] {
  const found: Leftover[] = [];
  for (const name of list(results)) {
    const path = join(results, name);
    const kind = lstatSync(path);
    if (kind.isSymbolicLink() && (name === 'latest' || name.startsWith('.latest-')) && isDangling(path))
      found.push({
        what: 'link',
        name: path,
        why: `it points to ${readlinkSync(path)}, which is gone`,
        remove: () => unlinkSync(path),
      });
    if (kind.isDirectory()) found.push(...inRun(path));
  }
  return found;
}

function inRun(folder: string): Leftover[] {
  const names = list(folder);
  const halfWritten = names.filter((name) => /^\..+\.new$/.test(name));
  const found = halfWritten.map((name): Leftover => {
    const path = join(folder, name);
    return { what: 'file', name: path, why: 'half-written', remove: () => unlinkSync(path) };
  });
  if (names.length === halfWritten.length)
    found.push({ what: 'folder', name: folder, why: 'a run without a record', remove: () => rmdirSync(folder) });
  return found;
}

function isDangling(link: string): boolean {
  return statSync(link, { throwIfNoEntry: false }) === undefined;
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
