/** All that one picture of a run under way shows, as a plain value. */
import type { History, Totals } from './history.js';
import type { Percentiles } from './tally.js';

/** A node's pool of ports at one moment. */
export interface LivePool {
  node: string;
  /** Ports in use towards its busiest destination, now and at most so far. */
  inUse: number;
  peak: number;
  capacity: number;
  /** How many of them are in TIME_WAIT. */
  timeWait: number;
  /** Whether all ports are in use, or were within the last second and nearly all still are. */
  full: boolean;
}

/** The trial that is under way, or that has just been. */
export interface LiveTrial {
  /** Since its start, ms. */
  passedMs: number;
  /** When its last visitor comes, ms since its start; 0 where nothing says so. */
  plannedMs: number;
  totals: Totals;
  /** Per second, over the last second. */
  rates: Totals;
  history: History;
  /** What the clients saw of the requests that were dropped. */
  reasons: { text: string; count: number }[];
  /** Response latency of the last two seconds. */
  latency: Percentiles;
  /** In the order of the chain. */
  pools: LivePool[];
}

/** A trial that has been settled: its numbers are final. */
export interface FinishedTrial {
  name: string;
  due: number;
  dropped: number;
  /** `159 ports-exhausted@edge`, the most frequent first. */
  causes: string[];
  /** Why its numbers must not be trusted. */
  invalid: boolean;
}

/** Where a trial is. `finishing`: all visitors have come, and some are not done. */
export type LivePhase = 'preparing' | 'building' | 'starting' | 'sending' | 'finishing' | 'settling';

/** All of it. */
export interface LiveState {
  scenario: string;
  /** Which trial: `wider-pool (2 of 4, until ~21:43)`. Empty before the first one. */
  label: string;
  phase: LivePhase;
  /** For how long it has been in this phase, ms. */
  inPhaseMs: number;
  /** A step of the preparation in words; empty where there is none. */
  step: string;
  /** Absent before the first trial sends. */
  trial?: LiveTrial;
  finished: FinishedTrial[];
}
