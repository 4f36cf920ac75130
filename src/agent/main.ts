/** The agent: the program that runs beside a host's processes and does there what the harness asks for, on stdin and stdout. */
import { Socket } from 'node:net';
import { PortPartyError } from '../errors.js';
import { raiseDescriptorLimit } from '../sys/descriptors.js';
import { exitNow } from '../sys/libc.js';
import { handlers } from './calls.js';
import { readFrames, writeFrame } from './frames.js';
import type { Call, Failure, Reply } from './protocol.js';

// A socket of its own, because `process.stdout` blocks on a full pipe, and the taps must be emptied meanwhile.
const output = new Socket({ fd: 1, readable: false, writable: true });
// Whatever a library prints would break the frames.
process.stdout.write = process.stderr.write.bind(process.stderr);

const send = (message: Reply) => writeFrame(output, message);
const calls = handlers((event, value) => send({ event, value }));

async function answer({ id, name, argument }: Call): Promise<void> {
  try {
    send({ id, result: await (calls[name] as (argument: unknown) => unknown)(argument) });
  } catch (error) {
    send({ id, failure: failureOf(error as NodeJS.ErrnoException) });
  }
}

function failureOf(error: NodeJS.ErrnoException): Failure {
  const { message, code } = error;
  if (!(error instanceof PortPartyError)) return { message, code };
  return { message, exitCode: error.exitCode, where: error.where, hint: error.hint };
}

/** At once, threads and open connections included: nobody is left to tell anything to. */
const end = () => exitNow(0);
for (const event of ['end', 'close', 'error']) process.stdin.on(event, end);
output.on('error', end);

raiseDescriptorLimit();
readFrames(
  process.stdin,
  (value) => void answer(value as Call),
  () => {
    process.stderr.write('Error: what came on stdin is no call\n');
    exitNow(2);
  },
);
send({ event: 'ready', value: null });
