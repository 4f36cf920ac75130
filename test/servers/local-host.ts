/** A Host that is this very machine, with folders of its own: for server programs without a testbed around them. */
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Host, HostProcess } from '../../src/testbed/host.js';

export interface LocalHosts {
  /** A folder that all these hosts share. */
  sharedDir: string;
  host(name: string): Host;
  /** Ends every process that is left, and removes the folders. */
  dispose(): Promise<void>;
}

export function localHosts(): LocalHosts {
  const sharedDir = mkdtempSync(join(tmpdir(), 'portparty-servers-'));
  const processes: HostProcess[] = [];

  function host(name: string): Host {
    const logDir = join(sharedDir, name);
    mkdirSync(logDir, { recursive: true });
    const at = (path: string) => resolve(logDir, path);
    const notHere = () => Promise.reject(new Error('this host has no network namespace of its own'));
    return {
      name,
      node: name.replace(/\[\d+\]$/, ''),
      netns: null,
      logDir,
      runDir: logDir,
      distDir: resolve('dist'),
      nodeBinary: process.execPath,
      run: (argv) =>
        Promise.resolve({ stdout: execFileSync(argv[0], argv.slice(1), { encoding: 'utf8' }), stderr: '' }),
      async spawn(argv, { label, openFiles, env }) {
        const log = openSync(join(logDir, `${label}.log`), 'a');
        const limited = openFiles === undefined ? argv : ['prlimit', `--nofile=${openFiles}:${openFiles}`, ...argv];
        const child = spawn(limited[0], limited.slice(1), {
          stdio: ['ignore', log, log],
          env: { ...process.env, ...env },
        });
        closeSync(log);
        const started: HostProcess & { running: boolean } = {
          pid: child.pid!,
          running: true,
          exited: new Promise((settle) => child.once('exit', (code, signal) => settle({ code, signal }))),
          signal: async (signal) => void child.kill(signal),
        };
        started.exited.then(() => {
          started.running = false;
        });
        processes.push(started);
        return started;
      },
      async writeFile(path, text) {
        writeFileSync(at(path), text);
        return at(path);
      },
      async readFile(path) {
        try {
          return readFileSync(at(path), 'utf8');
        } catch {
          return '';
        }
      },
      setSysctl: notHere,
      sysctl: notHere,
    };
  }

  return {
    sharedDir,
    host,
    async dispose() {
      for (const one of processes) if (one.running) await one.signal('SIGKILL');
      await Promise.all(processes.map((one) => one.exited));
      rmSync(sharedDir, { recursive: true, force: true });
    },
  };
}
