/**
 * Self-isolation: the program runs itself again inside fresh user, mount, PID and network namespaces, so that the kernel
 * removes everything it made when it ends, `kill -9` included.
 *
 *     outer   keeps the user's terminal, takes signals, passes on the exit code
 *       └─ unshare   holds the PID namespace
 *            └─ inner   PID 1 of its own namespaces: does all the work (`enter.ts`)
 */
import type { ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { ExitCode, testbedError } from '../../errors.js';
import { canIsolate } from './can-isolate.js';
import { type IsolationMode, launchIsolated } from './launch.js';

/** True in the process that runs inside the namespaces; the id guards against a variable left in the environment. */
export function isIsolated(): boolean {
  return process.env.PORTPARTY_ISOLATED === '1' && process.pid === 1;
}

/** The way of isolation that works here; throws a PortPartyError (exit 3) with the ways out where none does. */
export async function isolationMode(): Promise<IsolationMode> {
  const able = await canIsolate();
  if (able.ok) return able.mode;
  throw testbedError(`the netns driver cannot run here: ${able.reason}`, undefined, able.waysOut.join('; or '));
}

/**
 * Runs this program again inside fresh namespaces and resolves to its exit code.
 * `argv` is `process.argv.slice(1)`: the script and its arguments.
 * SIGINT, SIGTERM and SIGHUP ask the inner process to end in order; the second one ends it at once.
 * `known` spares the trial of what works here.
 * Throws a PortPartyError (exit 3) that names the setting in the way and the ways out where the system forbids it.
 */
export async function isolate(argv: string[], env: NodeJS.ProcessEnv, known?: IsolationMode): Promise<number> {
  const mode = known ?? (await isolationMode());
  const child = await launchIsolated(
    mode,
    [process.execPath, ...process.execArgv, ...argv],
    ['inherit', 'inherit', 'inherit', 'ipc'],
    { ...env, PORTPARTY_ISOLATED: '1' },
  );

  let interrupts = 0;
  const interrupt = () => {
    interrupts++;
    if (interrupts > 1 || !child.connected) child.kill('SIGKILL');
    else child.send('interrupt', () => {});
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, interrupt);
  try {
    const told = toldExitCode(child);
    answerWhereabouts(child);
    await new Promise<void>((resolve, reject) => {
      child.once('error', (error) => reject(testbedError('cannot start unshare', undefined, undefined, error)));
      child.once('exit', () => resolve());
    });
    return (await told) ?? (interrupts > 0 ? ExitCode.interrupted : ExitCode.testbed);
  } finally {
    for (const signal of signals) process.off(signal, interrupt);
  }
}

/** How the inner process is reached from outside, which it cannot know by itself. */
export interface Whereabouts {
  /** Its process id in the outer process's PID namespace. */
  pid: number;
  /** The outer process's user. */
  uid: number;
}

function answerWhereabouts(child: ChildProcess): void {
  child.on('message', (message) => {
    if (message !== 'whereabouts') return;
    // `unshare` has one child, and it is the one that asks.
    const pid = Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8'));
    const answer: Whereabouts = { pid, uid: process.getuid!() };
    child.send(answer, () => {});
  });
}

/** The exit code as the inner process tells it at its end; undefined when it was killed before it could. */
function toldExitCode(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve) => {
    let told: number | undefined;
    child.on('message', (message: { exitCode?: number }) => {
      told = message.exitCode ?? told;
    });
    child.once('disconnect', () => resolve(told));
    child.once('error', () => resolve(undefined));
  });
}
