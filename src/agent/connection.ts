/** The harness's end of the line to an agent: calls with their answers, events, and one clear word when the line breaks. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { type ExitCode, PortPartyError, testbedError } from '../errors.js';
import { readFrames, writeFrame } from './frames.js';
import type { AgentCalls, AgentEvents, Answer, Call, CallName, EventName, Failure, Reply } from './protocol.js';

/** The standard streams of an agent's process, seen from the harness. */
export interface AgentStreams {
  /** Its stdout. It must end when the agent ends. */
  output: Readable;
  /** Its stdin. */
  input: Writable;
  /** Its stderr, for the words in which it dies. */
  errors?: Readable;
}

/** A line to one agent. */
export interface Connection {
  /** Asks; fails with what the agent says, or, once the line is broken, with a PortPartyError (exit 3). */
  call<Name extends CallName>(name: Name, ...argument: Parameters<AgentCalls[Name]>): Promise<Awaited<Answer<Name>>>;
  /** Calls `take` with every event of that name from now on; one listener per name. */
  on<Name extends EventName>(name: Name, take: (value: AgentEvents[Name]) => void): void;
  /** Hangs up: the agent ends. */
  hangUp(): void;
  /** Why the line ended. */
  readonly closed: Promise<string>;
}

/** How much of an agent's stderr is kept, characters. */
const LAST_WORDS = 4000;
/** How long the last of its stderr may lag behind the end of its stdout, ms. */
const LAST_WORDS_MS = 500;

/** Speaks to the agent of the host `name` over its streams. */
export function openConnection(streams: AgentStreams, name: string): Connection {
  const { output, input, errors } = streams;
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  const listeners = new Map<string, (value: never) => void>();
  let calls = 0;
  let words = '';
  let broken: string | undefined;
  let tellClosed: (reason: string) => void;
  const closed = new Promise<string>((resolve) => {
    tellClosed = resolve;
  });

  const ended = (reason: string) => testbedError(`the agent of ${name} ended: ${reason}`, name);

  function end(reason: string): void {
    if (broken !== undefined) return;
    broken = reason;
    input.end();
    for (const { reject } of waiting.values()) reject(ended(reason));
    waiting.clear();
    tellClosed(reason);
  }

  /** The words in which it dies come by another stream, maybe later. */
  async function endWithLastWords(reason: string): Promise<void> {
    if (errors !== undefined && !errors.readableEnded && !errors.destroyed) {
      const patience = AbortSignal.timeout(LAST_WORDS_MS);
      await Promise.any(['end', 'close'].map((event) => once(errors, event, { signal: patience }))).catch(() => {});
    }
    end(lastWords(words) ?? reason);
  }

  function onReply(reply: Reply): void {
    if ('event' in reply) {
      listeners.get(reply.event)?.(reply.value as never);
      return;
    }
    const caller = waiting.get(reply.id);
    waiting.delete(reply.id);
    if ('failure' in reply) caller?.reject(errorOf(reply.failure, name));
    else caller?.resolve(reply.result);
  }

  readFrames(
    output,
    (value) => onReply(value as Reply),
    (text) => end(`it says what is no agent's: ${text.slice(0, 300).trim()}`),
  );
  errors?.on('data', (text: Buffer | string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  errors?.on('error', () => {});
  output.once('end', () => void endWithLastWords('it said nothing'));
  output.once('close', () => void endWithLastWords('it said nothing'));
  output.on('error', (error) => void endWithLastWords(error.message));
  // Its output tells why.
  input.on('error', () => {});

  return {
    closed,
    on: (event, take) => void listeners.set(event, take as (value: never) => void),
    hangUp: () => end('hung up'),
    call: (callName, ...argument) =>
      new Promise((resolve, reject) => {
        if (broken !== undefined) {
          reject(ended(broken));
          return;
        }
        const id = calls++;
        waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
        writeFrame(input, { id, name: callName, argument: argument[0] } satisfies Call);
      }),
  };
}

/** The line of a crash's output that tells the most; undefined when nothing was said. */
function lastWords(text: string): string | undefined {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return (lines.findLast((line) => /^\w*Error\b.*: /.test(line)) ?? lines.at(-1))?.trim();
}

/** The error that the agent met, as if it had happened here. */
function errorOf({ message, code, exitCode, where, hint }: Failure, host: string): Error {
  if (exitCode !== undefined)
    return new PortPartyError(message, { exitCode: exitCode as ExitCode, where: where ?? host, hint });
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}
