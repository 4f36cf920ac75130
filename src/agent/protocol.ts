/**
 * What the harness and an agent say to each other. An agent is this package's own program beside a host's processes, in the
 * host's namespaces, for hosts that the harness cannot enter itself (a remote Docker daemon, Docker Desktop).
 *
 *     harness   --- call, id --->                agent, on its stdin
 *     connect.ts <--- answer or failure, id ---  main.ts, on its stdout
 *                <--- event ---
 */
import type { ClockReading } from '../observe/clock.js';
import type { HostSample, HostSeen, WatchOrder } from '../observe/host-watch.js';
import type { Engine, GeneratorReport, TrafficPlan } from '../traffic/engine.js';
import type { RowBatch } from '../traffic/row-batch.js';

/** A command that has ended in the host's namespaces. */
export interface CommandEnd {
  /** Its exit code; 128 and the signal's number when a signal ended it, as shells have it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** All that an agent can be asked for: its argument and its answer. */
export interface AgentCalls {
  /** Runs a command to its end; fails with the errno's name as `code` when it cannot start. */
  run(command: { argv: string[]; input: string }): CommandEnd;
  /** Text of a file as the agent sees it, UTF-8; fails with the errno's name as `code`. */
  read(path: string): string;
  /** Writes a file, such as a kernel setting below /proc/sys; fails with the errno's name as `code`. */
  write(file: { path: string; text: string }): void;
  /** CLOCK_MONOTONIC and CLOCK_REALTIME of the agent's machine. */
  clock(): ClockReading;
  /** Begins to watch the host; resolves when its tap is open. One watch at a time. */
  watch(order: WatchOrder): void;
  /** The watched host at this moment; the rows of the requests that have changed are told before it. */
  sample(): HostSample;
  /** Ends the watch. */
  unwatch(): HostSeen;
  /** Makes an engine ready to send; answers with the number of visitors that its outcomes have room for. One at a time. */
  prepare(traffic: { engine: Engine['name']; plan: TrafficPlan }): number;
  /** Sends, from this moment of the agent's CLOCK_MONOTONIC on; answers when all outcomes have been told. */
  start(startNs: bigint): GeneratorReport;
  /** Ends the sending early. */
  stop(): void;
  /** Frees what the engine holds. */
  release(): void;
}

/** What a call carries to say which one it is. */
export type CallName = keyof AgentCalls;

/** What comes back for an answer: plain data, awaited. */
export type Answer<Name extends CallName> = ReturnType<AgentCalls[Name]>;

/** What an agent tells unasked. */
export interface AgentEvents {
  /** First of all: it listens. */
  ready: null;
  /** What has become of requests since the last time. */
  rows: RowBatch;
}

/** What an event carries to say which one it is. */
export type EventName = keyof AgentEvents;

/** From the harness to the agent. */
export interface Call {
  id: number;
  name: CallName;
  argument: unknown;
}

/** Why a call failed, as an error can be sent: with what `PortPartyError` and the errors of the system carry. */
export interface Failure {
  message: string;
  /** Standard name of an errno, such as `ENOENT`. */
  code?: string;
  /** Present for a PortPartyError. */
  exitCode?: number;
  where?: string;
  hint?: string;
}

/** From the agent to the harness. */
export type Reply =
  | { id: number; result: unknown }
  | { id: number; failure: Failure }
  | { event: EventName; value: unknown };
