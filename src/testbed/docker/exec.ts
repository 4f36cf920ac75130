/** Commands and daemons inside a container, by the daemon's `exec`. */
import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { finished } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, Exec } from 'dockerode';
import { testbedError } from '../../errors.js';
import type { CommandResult, HostProcess } from '../host.js';
import { type Daemon, daemonError } from './daemon.js';
import { startExec } from './streams.js';

/** Runs a command to its end. Throws a PortPartyError (exit 3) that names `where`, the command and its stderr when it fails. */
export async function execRun(
  daemon: Daemon,
  container: Container,
  where: string,
  argv: string[],
  input?: string,
): Promise<CommandResult> {
  const { code, stdout, stderr } = await execToEnd(daemon, container, where, argv, input);
  if (code === 0) return { stdout, stderr };
  throw (
    startFailure(code, `${stdout}${stderr}`, argv[0], where) ??
    testbedError(`${argv.join(' ')} failed: ${stderr.trim() || stdout.trim() || `exit code ${code}`}`, where)
  );
}

async function execToEnd(daemon: Daemon, container: Container, where: string, argv: string[], input?: string) {
  try {
    const exec = await container.exec({
      Cmd: argv,
      AttachStdin: input !== undefined,
      AttachStdout: true,
      AttachStderr: true,
    });
    const streams = await startExec(daemon, exec, input);
    const [stdout, stderr] = await Promise.all([text(streams.stdout), text(streams.stderr)]);
    return { code: await exitCode(exec), stdout, stderr };
  } catch (error) {
    throw daemonError(`running ${argv.join(' ')} in the container`, error, where);
  }
}

/** Exit codes by which the runtime says that it could not start the program, and its words for that. */
function startFailure(code: number | null, output: string, program: string, where: string) {
  if (code !== 126 && code !== 127) return undefined;
  const words = output.trim();
  return /executable file not found|no such file or directory/i.test(words)
    ? missingError(program, where)
    : testbedError(`cannot start ${program}: ${words || `exit code ${code}`}`, where);
}

function missingError(program: string, where: string) {
  return testbedError(`the command ${program} is missing in the container's image`, where, 'use an image that has it');
}

/** How often a command's end is asked for once its output has ended, ms: more and more seldom. */
const END_POLL_MS = { first: 5, last: 200 };

/** Exit code of a command whose output has ended: the daemon learns of it a little later, and it may go on without outputs. */
async function exitCode(exec: Exec): Promise<number | null> {
  for (let pause = END_POLL_MS.first; ; pause = Math.min(2 * pause, END_POLL_MS.last)) {
    const { Running, ExitCode } = await exec.inspect();
    if (!Running && ExitCode !== null) return ExitCode;
    await sleep(pause);
  }
}

/** First line of a daemon that cannot be had. */
const MISSING = 'missing';

/**
 * Writes its process id as the container numbers it, then becomes the daemon: arguments are the limit of open files (0: as it
 * is) and the daemon.
 */
const BECOME = `command -v "$2" >/dev/null || { echo ${MISSING}; exit 127; }
[ "$1" = 0 ] || ulimit -n "$1" || exit 126
echo $$; shift; exec "$@"`;

/** What a daemon inside a container needs to start. */
export interface SpawnSpec {
  argv: string[];
  openFiles?: number;
  env?: Record<string, string>;
  /** File on this machine that its output is appended to. */
  logFile: string;
}

/** Starts a daemon; resolves once the shell that starts it gives way to it. Throws a PortPartyError (exit 3) when it cannot be started. */
export async function execSpawn(
  daemon: Daemon,
  container: Container,
  where: string,
  spec: SpawnSpec,
): Promise<HostProcess> {
  const { argv, openFiles = 0, env = {}, logFile } = spec;
  const log = createWriteStream(logFile, { flags: 'a' });
  try {
    const exec = await container.exec({
      Cmd: ['sh', '-c', BECOME, 'sh', String(openFiles), ...argv],
      Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
      AttachStdout: true,
      AttachStderr: true,
    });
    const { stdout, stderr } = await startExec(daemon, exec, undefined);
    const inContainer = await firstLine(stdout);
    if (inContainer === MISSING) throw missingError(argv[0], where);
    if (inContainer === '') throw testbedError(`cannot start ${argv[0]}: ${(await text(stderr)).trim()}`, where);
    // Both may end the file; neither does.
    stdout.pipe(log, { end: false });
    stderr.pipe(log, { end: false });
    const outputEnded = Promise.allSettled([finished(stdout), finished(stderr)]);
    const pid = await processId(exec);
    let running = true;
    const exited = outputEnded.then(async () => {
      const code = await exitCode(exec).catch(() => null);
      running = false;
      await new Promise<void>((resolve) => log.end(resolve));
      return ended(code);
    });
    return {
      pid,
      exited,
      get running() {
        return running;
      },
      async signal(name) {
        if (!running) return;
        // Its own process group: the runtime starts every command in a session of its own.
        const kill = `kill -s ${name.slice(3)} -- -${inContainer} 2>/dev/null || :`;
        await execToEnd(daemon, container, where, ['sh', '-c', kill]);
      },
    };
  } catch (error) {
    log.end();
    throw daemonError(`starting ${argv[0]} in the container`, error, where);
  }
}

/** Process id as the daemon's machine numbers it, which the daemon may learn later than its output; 0 when it has ended before. */
async function processId(exec: Exec): Promise<number> {
  for (;;) {
    const { Pid, Running, ExitCode } = await exec.inspect();
    if (Pid > 0 || (!Running && ExitCode !== null)) return Pid;
    await sleep(END_POLL_MS.first);
  }
}

/** The first line of a stream, which goes on behind it; '' when it ends before. */
function firstLine(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    let seen = Buffer.alloc(0);
    const onEnd = () => resolve('');
    const onData = (chunk: Buffer) => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf('\n');
      if (end < 0) return;
      stream.off('data', onData).off('end', onEnd).pause();
      if (end + 1 < seen.length) stream.unshift(seen.subarray(end + 1));
      resolve(seen.toString('utf8', 0, end));
    };
    stream.on('data', onData).once('end', onEnd);
  });
}

/** A shell's way to say that a signal ended it is 128 and the signal's number. */
function ended(code: number | null): { code: number | null; signal: string | null } {
  const signals: Record<number, string> = { 129: 'SIGHUP', 130: 'SIGINT', 137: 'SIGKILL', 143: 'SIGTERM' };
  const signal = code === null ? 'SIGKILL' : signals[code];
  return signal === undefined ? { code, signal: null } : { code: null, signal };
}
