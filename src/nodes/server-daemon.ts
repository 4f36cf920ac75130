/** How this package's own server programs are started on a host, known ready, and ended. */
import { testbedError } from '../errors.js';
import type { Host, HostProcess } from '../testbed/host.js';
import type { Endpoint } from '../topology/plan.js';
import { endProcesses } from './end-process.js';
import type { RunningNode } from './kind.js';
import { awaitReady } from './ready.js';

/** The servers' request log in the host's log folder. */
export const REQUEST_LOG = 'requests.log';
/** Backlog where the scenario names none: what today's kernels allow at most by default (`net.core.somaxconn`). */
export const DEFAULT_BACKLOG = 4096;

const READY_WITHIN_MS = 10_000;
const TAIL_LINES = 5;

/** Where the part of the log that belongs to a process begins, in characters: a restarted one goes on in the same file. */
const logStarts = new WeakMap<HostProcess, number>();

/** Starts `dist/<folder>/<program>.js`, of the folder `servers` unless said otherwise, with its options as JSON. */
export async function spawnServer(
  host: Host,
  program: string,
  options: object,
  { label, openFiles, folder = 'servers' }: { label: string; openFiles: number | undefined; folder?: string },
): Promise<HostProcess> {
  const argv = [host.nodeBinary, `${host.distDir}/${folder}/${program}.js`, JSON.stringify(options)];
  const { length } = await host.readFile(`${label}.log`);
  const process = await host.spawn(argv, openFiles === undefined ? { label } : { label, openFiles });
  logStarts.set(process, length);
  return process;
}

/** Waits until the program has logged that it listens. Throws a testbedError with the end of its log when it ends first or takes too long. */
export function awaitListening(host: Host, process: HostProcess, label: string): Promise<void> {
  return awaitLine(host, process, label, /^listening /m, 'is not ready');
}

/** Waits for a line of the program's log. Throws a testbedError with the end of that log when it ends first or takes too long. */
export async function awaitLine(
  host: Host,
  process: HostProcess,
  label: string,
  line: RegExp,
  otherwise: string,
): Promise<void> {
  const said = async () => (await host.readFile(`${label}.log`)).slice(logStarts.get(process) ?? 0);
  const tail = async () => (await said()).trim().split('\n').slice(-TAIL_LINES).join('\n') || 'its log is empty';
  await awaitReady(process, {
    withinMs: READY_WITHIN_MS,
    isReady: async () => line.test(await said()),
    ended: async () => testbedError(`${label} ended at its start: ${await tail()}`, host.name, `see ${label}.log`),
    late: async () =>
      testbedError(`${label} ${otherwise} after ${READY_WITHIN_MS / 1000} s: ${await tail()}`, host.name),
  });
}

/** The endpoint that a server node must have by its plan. Throws a testbedError when it has none. */
export function listenOf(host: Host, listen: Endpoint | undefined): Endpoint {
  if (listen === undefined) throw testbedError('the plan gives this server no address to listen on', host.name);
  return listen;
}

/** A program of a server node, as it is started, and started again. */
export interface ServerProgram {
  program: string;
  options: object & { control: string };
  label: string;
  openFiles: number | undefined;
}

/** File in the log folder through which running servers are told of changes. */
export const CONTROL_FILE = 'changes.json';

/**
 * Starts the programs and waits until all listen. `beside` are processes that events leave alone, such as a store.
 * The programs end, with all logged, by SIGTERM, one after the other, those beside them last.
 */
export async function startServers(
  host: Host,
  programs: ServerProgram[],
  beside: HostProcess[] = [],
): Promise<RunningNode> {
  const exposed: HostProcess[] = [];
  const processes: HostProcess[] = [];
  const changes: Record<string, unknown> = {};
  let changed = 0;
  let stopping: Promise<void> | undefined;

  async function startAll(): Promise<void> {
    const started = await Promise.all(
      programs.map(({ program, options, label, openFiles }) =>
        spawnServer(host, program, { ...options, ...changes }, { label, openFiles }),
      ),
    );
    exposed.splice(0, exposed.length, ...started);
    processes.splice(0, processes.length, ...started, ...beside);
    await Promise.all(started.map((process, index) => awaitListening(host, process, programs[index].label)));
  }

  await startAll();
  return {
    processes,
    exposed,
    stop() {
      stopping ??= endProcesses(processes);
      return stopping;
    },
    async restart() {
      await endProcesses(exposed);
      await startAll();
    },
    async change(knobs) {
      for (const [knob, value] of Object.entries(knobs)) changes[OPTION_OF[knob] ?? knob] = value;
      const version = ++changed;
      await host.writeFile(CONTROL_FILE, JSON.stringify({ ...changes, version }));
      // One that is down takes it over with its restart.
      const running = programs.map((program, index) => ({ ...program, process: exposed[index] }));
      await Promise.all(
        running
          .filter(({ process }) => process.running)
          .map(async ({ process, label }) => {
            await process.signal('SIGUSR2');
            const line = new RegExp(`^changed ${version}$`, 'm');
            await awaitLine(host, process, label, line, 'did not take over the change');
          }),
      );
    },
  };
}

/** Knobs whose name as an option of the program tells the unit. */
const OPTION_OF: Record<string, string> = { serviceTime: 'serviceTimeMs' };
