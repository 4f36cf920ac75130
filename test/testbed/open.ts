/** Testbeds built by a process of their own (`serve.mjs`), with the interface of `Testbed` and `Host` as far as it can be sent. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Host, HostProcess, SpawnOptions, Testbed } from '../../src/testbed/host.js';
import type { Plan } from '../../src/topology/plan.js';
import type { Way } from '../helpers/ways.js';

/** A daemon on a host. */
export interface Daemon extends Pick<HostProcess, 'pid' | 'signal'> {
  exited(): ReturnType<() => HostProcess['exited']>;
  running(): Promise<boolean>;
}

/** A host, seen from the test. */
export interface OpenHost extends Omit<Host, 'agent' | 'spawn' | 'startImage'> {
  hasAgent: boolean;
  /** What all hosts of its node share. */
  sharedDir: string;
  spawn(argv: string[], options: SpawnOptions): Promise<Daemon>;
  /** Runs a Node.js program in the host's network, and not in its file system; resolves to its stdout. */
  program(text: string): Promise<string>;
  /** Starts its node. */
  start(): Promise<void>;
  /** A file of its folder in the record, there also after the end. */
  recorded(file: string): Promise<string>;
}

/** A chain that is up, seen from the test. */
export interface OpenTestbed extends Pick<Testbed, 'driver' | 'plan' | 'entry' | 'down'> {
  names: string[];
  host(name: string): OpenHost;
}

/** The process that builds the testbeds. */
export interface Bench {
  /** Id of the process. */
  pid: number;
  /** Refuses what cannot work here. */
  check(topology: object): Promise<void>;
  /** Builds a topology written as in a scenario file. */
  build(topology: object): Promise<OpenTestbed>;
  /** What testbeds that are down have left. */
  left(): Promise<string[]>;
  close(): Promise<void>;
}

/** What a call of `serve.mjs` may fail with: a PortPartyError as it can be sent. */
interface Sent {
  message: string;
  where?: string;
  hint?: string;
  exitCode?: number;
}

/** Starts the process; it ends with the test's at the latest. */
export async function openBench(way: Way): Promise<Bench> {
  const [program, ...argv] = [...way.prefix, process.execPath, 'test/testbed/serve.mjs', way.driver];
  const child = spawn(program, argv, { env: { ...process.env, ...way.env }, stdio: ['pipe', 'pipe', 'pipe'] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const ended = new Promise<void>((resolve) => {
    child.once('close', (code, signal) => {
      for (const { reject } of waiting.values()) reject(new Error(`the process ended (${code ?? signal}): ${said}`));
      resolve();
    });
  });
  let isReady = () => {};
  const ready = new Promise<void>((resolve, reject) => {
    isReady = resolve;
    void ended.then(() => reject(new Error(`the process did not start: ${said}`)));
  });
  createInterface({ input: child.stdout }).on('line', (line) => {
    const { id, result, error } = JSON.parse(line) as { id?: number; result?: unknown; error?: Sent };
    if (id === undefined) return isReady();
    const { resolve, reject } = waiting.get(id)!;
    waiting.delete(id);
    if (error === undefined) resolve(result);
    else reject(Object.assign(new Error(error.message), error));
  });
  let calls = 0;
  const call = <Result>(name: string, ...args: unknown[]): Promise<Result> =>
    new Promise((resolve, reject) => {
      waiting.set(++calls, { resolve: resolve as (value: unknown) => void, reject });
      child.stdin.write(`${JSON.stringify({ id: calls, name, args })}\n`);
    });

  await ready;
  let built = 0;
  return {
    pid: child.pid!,
    check: (topology) => call('check', topology),
    async build(topology) {
      const trial = String(++built);
      const { driver, plan, hosts } = await call<{ driver: Testbed['driver']; plan: Plan; hosts: OpenHost[] }>(
        'build',
        trial,
        topology,
      );
      const byName = new Map(hosts.map((host) => [host.name, openHost(call, trial, host)]));
      return {
        driver,
        plan,
        names: [...byName.keys()],
        host: (name) => byName.get(name)!,
        entry: (name) => call('entry', trial, name),
        down: () => call('down', trial),
      };
    },
    left: () => call('left'),
    async close() {
      child.stdin.end();
      await ended;
    },
  };
}

type Call = <Result>(name: string, ...args: unknown[]) => Promise<Result>;

function openHost(call: Call, trial: string, sent: OpenHost): OpenHost {
  const { name } = sent;
  const on = <Result>(method: keyof Host, ...args: unknown[]) => call<Result>('on', trial, name, method, args);
  return {
    ...sent,
    run: (argv, options) => on('run', argv, options),
    writeFile: (path, text) => on('writeFile', path, text),
    readFile: (path) => on('readFile', path),
    setSysctl: (key, value) => on('setSysctl', key, value),
    sysctl: (key) => on('sysctl', key),
    async spawn(argv, options) {
      const { key, pid } = await call<{ key: number; pid: number }>('spawn', trial, name, argv, options);
      return {
        pid,
        exited: () => call('exited', key),
        running: () => call('running', key),
        signal: (signal) => call('signal', key, signal),
      };
    },
    program: (text) => call('program', trial, name, text),
    start: () => call('startNode', trial, name),
    recorded: (file) => call('recorded', trial, name, file),
  };
}
