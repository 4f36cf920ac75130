/** What the thread that paints is told: plain values, and the memory that the sender writes its outcomes to. */
import type { FinishedTrial, LivePhase, LivePool } from './state.js';

/** What the thread is started with. */
export interface PainterInput {
  /** The heading. */
  scenario: string;
  /** File descriptor of the terminal. */
  fd: number;
  /** Of `screenMemory`. */
  screen: SharedArrayBuffer;
}

/** A trial whose traffic begins. Times as in `TrialProgress`. */
export interface BegunTrial {
  /** The memory behind its outcomes, and how they lie in it. */
  buffer: SharedArrayBuffer;
  visitors: number;
  steps: number;
  lastArrivalNs: number;
  startNs: bigint;
}

/** A trial has entered a phase, a step of the preparation in words, the pools as they are, or a trial that has been settled. */
export type LiveMessage =
  | {
      type: 'phase';
      label: string;
      phase: LivePhase;
      /** When, by CLOCK_MONOTONIC. */
      atNs: bigint;
      /** With `sending`. */
      begun?: BegunTrial;
    }
  | { type: 'step'; text: string }
  | { type: 'pools'; pools: LivePool[] }
  | { type: 'finished'; trial: FinishedTrial };
