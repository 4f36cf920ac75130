/** An agent as the rest of the program sees it: what can be asked of a host that this process cannot enter. */
import type { ClockReading } from '../observe/clock.js';
import type { HostWatch, WatchOrder } from '../observe/host-watch.js';
import type { Engine, GeneratorReport, TrafficPlan } from '../traffic/engine.js';
import type { RowBatch } from '../traffic/row-batch.js';
import type { CommandEnd } from './protocol.js';

/** The agent of one host. Every call fails with a PortPartyError (exit 3) that names the host once the agent has ended. */
export interface HostAgent {
  /** Runs a command in the host's namespaces, with the agent's rights. Fails with the errno's name as `code` when it cannot start. */
  run(argv: string[], options?: { input?: string }): Promise<CommandEnd>;
  /** Sets a sysctl of the host's network namespace. A refusal carries the errno's name as `code`. */
  setSysctl(name: string, value: string): Promise<void>;
  /** Reads a sysctl of the host's network namespace, white space at its ends left out. */
  sysctl(name: string): Promise<string>;
  /** Reads a file as the agent sees it, below /proc mostly. */
  readProc(path: string): Promise<string>;
  /** The clocks of the host's machine, which need not be this one. */
  clock(): Promise<ClockReading>;
  /** Watches the host from inside; resolves when its tap is open. One watch at a time. `processes` counts all of the host's. */
  watch(order: WatchOrder): Promise<HostWatch>;
  /** Makes an engine ready to send the plan from inside. One at a time. */
  prepare(engine: Engine['name'], plan: TrafficPlan): Promise<RemoteTraffic>;
  /** Ends the agent; idempotent. */
  close(): Promise<void>;
  /** Resolves once the agent has ended, with the reason; never rejects. */
  readonly closed: Promise<string>;
}

/** An engine of an agent's that is ready to start. */
export interface RemoteTraffic {
  /** How many visitors its outcomes have room for. */
  visitors: number;
  /** Sends from `startNs` of the agent's CLOCK_MONOTONIC on; `onRows` gets every outcome before it resolves, most of them meanwhile. */
  run(startNs: bigint, onRows: (batch: RowBatch) => void): Promise<GeneratorReport>;
  /** Ends it early: open requests are left `underWay`. */
  stop(): void;
  /** Frees what it holds; never fails. */
  close(): Promise<void>;
}
