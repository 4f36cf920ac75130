/** The agent: the program that runs beside a host's processes and does there what the harness asks for, on stdin and stdout. */
import { readFileSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { PortPartyError } from '../errors.js';
import { readClocks } from '../observe/clock.js';
import { raiseDescriptorLimit } from '../sys/descriptors.js';
import { exitNow } from '../sys/libc.js';
import { runCommand } from './commands.js';
import { readFrames, writeFrame } from './frames.js';
import type { AgentCalls, AgentEvents, Call, CallName, EventName, Failure, Reply } from './protocol.js';

// A socket of its own, because `process.stdout` blocks on a full pipe, and the taps must be emptied meanwhile.
const output = new Socket({ fd: 1, readable: false, writable: true });
output.on('error', () => exitNow(1));
// Whatever a library prints would break the frames.
process.stdout.write = process.stderr.write.bind(process.stderr);

const reply = (message: Reply) => writeFrame(output, message);
export const tell = <Name extends EventName>(event: Name, value: AgentEvents[Name]) => reply({ event, value });

const calls: {
  [Name in CallName]: (argument: never) => ReturnType<AgentCalls[Name]> | Promise<ReturnType<AgentCalls[Name]>>;
} = {
  run: runCommand,
  read: (path: string) => readFileSync(path, 'utf8'),
  write: ({ path, text }: { path: string; text: string }) => writeFileSync(path, text),
  clock: readClocks,
};

async function answer({ id, name, argument }: Call): Promise<void> {
  try {
    reply({ id, result: await (calls[name] as (argument: unknown) => unknown)(argument) });
  } catch (error) {
    reply({ id, failure: failureOf(error as NodeJS.ErrnoException) });
  }
}

function failureOf(error: NodeJS.ErrnoException): Failure {
  const { message, code } = error;
  if (!(error instanceof PortPartyError)) return { message, code };
  return { message, exitCode: error.exitCode, where: error.where, hint: error.hint };
}

raiseDescriptorLimit();
readFrames(
  process.stdin,
  (value) => void answer(value as Call),
  () => exitNow(2),
);
// At once, threads and open connections included: nobody is left to tell anything to.
process.stdin.on('close', () => exitNow(0));
process.stdin.on('end', () => exitNow(0));
process.stdin.on('error', () => exitNow(0));
tell('ready', null);
