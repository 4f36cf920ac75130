/** A host of the netns driver: a network namespace of this process, with its own processes, files and logs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, createReadStream, openSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { testbedError } from '../../errors.js';
import { inNamespace } from '../../sys/namespace.js';
import type { PlannedHost } from '../../topology/plan.js';
import { execIn, startError } from '../exec.js';
import type { Host, HostProcess } from '../host.js';
import { readSysctl, writeSysctl } from '../sysctl.js';

/** A host, and the way to end all that runs on it. */
export interface NetnsHost extends Host {
  /** Ends every process of the host. Idempotent. */
  end(): Promise<void>;
}

/** How long a daemon may take to end by itself before it is killed, ms. */
const GRACE_MS = 1000;
/** Bytes of a file that are read at once. */
const PIECE_BYTES = 1 << 18;

/** This package's `dist/`. */
const DIST_DIR = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** Makes the host of a namespace that exists; its folders are made here. */
export async function netnsHost(
  planned: PlannedHost,
  netns: string,
  folders: { logDir: string; runDir: string },
): Promise<NetnsHost> {
  const { logDir, runDir } = folders;
  await Promise.all([mkdir(logDir, { recursive: true }), mkdir(runDir, { recursive: true })]);
  const processes: HostProcess[] = [];
  const inLogs = (path: string) => (isAbsolute(path) ? path : join(logDir, path));
  const unreadable = (path: string, error: Error) =>
    testbedError(`cannot read ${path}: ${error.message}`, planned.name, undefined, error);

  return {
    name: planned.name,
    node: planned.node,
    netns,
    logDir,
    runDir,
    distDir: DIST_DIR,
    nodeBinary: process.execPath,
    run: (argv, options) => execIn(netns, planned.name, argv, options?.input),
    async spawn(argv, { label, openFiles, env }) {
      const limited = openFiles ? ['sh', '-c', `ulimit -n ${openFiles} && exec "$@"`, 'sh', ...argv] : argv;
      const log = openSync(join(logDir, `${label}.log`), 'a');
      try {
        const child = inNamespace(netns, () =>
          spawn(limited[0], limited.slice(1), {
            stdio: ['ignore', log, log],
            env: { ...process.env, ...env },
            // A process group of its own, so that a signal reaches the daemon's children too.
            detached: true,
          }),
        );
        const daemon = await started(child, planned.name, limited[0]);
        processes.push(daemon);
        return daemon;
      } finally {
        closeSync(log);
      }
    },
    async writeFile(path, text) {
      await writeFile(inLogs(path), text);
      return inLogs(path);
    },
    readFile: (path) =>
      readFile(inLogs(path), 'utf8').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return '';
        throw unreadable(path, error);
      }),
    async *readPieces(path) {
      try {
        for await (const piece of createReadStream(inLogs(path), { encoding: 'utf8', highWaterMark: PIECE_BYTES }))
          yield piece as string;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, error as Error);
      }
    },
    setSysctl: async (name, value) => writeSysctl(netns, planned.name, name, value),
    sysctl: async (name) => readSysctl(netns, planned.name, name),
    async end() {
      await Promise.all(processes.splice(0).map(endProcess));
    },
  };
}

/** Resolves once the kernel has started it; throws when there is no such program. */
async function started(child: ChildProcess, host: string, program: string): Promise<HostProcess> {
  let running = true;
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.once('exit', (code, signal) => {
      running = false;
      resolve({ code, signal });
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (error) => reject(startError(host, program, error)));
  });
  return {
    pid: child.pid!,
    exited,
    get running() {
      return running;
    },
    async signal(name) {
      signalGroup(child.pid!, name);
    },
  };
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    // ESRCH: the whole group has ended already.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function endProcess(daemon: HostProcess): Promise<void> {
  if (daemon.running) {
    signalGroup(daemon.pid, 'SIGTERM');
    // A stopped process (a scenario may send SIGSTOP) would not see the signal.
    signalGroup(daemon.pid, 'SIGCONT');
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      daemon.exited,
      new Promise((resolve) => {
        timer = setTimeout(resolve, GRACE_MS);
      }),
    ]);
    clearTimeout(timer);
  }
  // Also for the children of a daemon that is gone.
  signalGroup(daemon.pid, 'SIGKILL');
  await daemon.exited;
}
