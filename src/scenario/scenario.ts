/** A scenario after loading: checked, resolved, every unit a plain number; one value per variant. */
import type { NodeSpec } from '../nodes/registry.js';
import type { RateRamp } from './units.js';

/** A phase of arrivals: visitors per second, or (closed loop) that many connections as fast as possible. */
export type ArrivalPhase = { forMs: number; rate: RateRamp } | { forMs: number; connections: number };

/** Which requests a visitor sends (`traffic/journey.ts`); `hold` is one request, whose connection is then kept for `holdForMs`. */
export type JourneyName = 'buy-ticket' | 'view-event' | 'hold';

/** The visitors: when they come, what they ask for, how they use connections, and how long they wait. */
export interface Traffic {
  /** Names of the client nodes that the visitors come from (`from: buyers`, or a list). */
  from: string[];
  journey: JourneyName;
  thinkTimeMs: number;
  /** For `hold`. */
  holdForMs: number;
  connections: { mode: 'per-request' } | { mode: 'per-visitor' } | { mode: 'pooled'; size: number };
  close: 'client' | 'server' | 'reset';
  arrivals: ArrivalPhase[];
  process: 'poisson' | 'uniform';
  timeout: { connectMs: number; responseMs: number };
  retry: { attempts: number; backoffMs: number };
  /** Limit of the generator's own lateness, p99 in ms. */
  maxLatenessMs: number;
}

/** The hosts that an event is about; without `index` all hosts of the node. */
export interface EventTarget {
  node: string;
  index?: number;
}

/** What an event does, one thing at a time; values of knobs are as their kind's schema yields them. */
export type EventAction = { target: EventTarget } & (
  | { do: 'kill' | 'restart' | 'pause' | 'resume' | 'reload' }
  | { do: 'change'; knobs: Record<string, unknown> }
  | { do: 'sysctl'; name: string; value: string }
  | { do: 'forget-connections' }
);

/** Something that happens to the chain while traffic runs. */
export interface ScenarioEvent {
  /** Since the start of the traffic. */
  atMs: number;
  actions: EventAction[];
  /** In words: `kill shop[1]`. */
  text: string;
}

/** A gate of one variant: the text as written, and where, for messages. */
export interface GateLine {
  text: string;
  /** `file:line:column` of the expression. */
  where: string;
}

/** One variant with its patch merged in. `topology` is by node name, in the file's order. */
export interface ScenarioVariant {
  name: string;
  /** Of a combination of the matrix: its settings, by their short names. */
  cell?: Record<string, string>;
  topology: Record<string, NodeSpec>;
  traffic: Traffic;
  /** In the order of their time. */
  events: ScenarioEvent[];
  /** The gates that hold for this variant. */
  gates: GateLine[];
  /** Text of each node's own configuration file, by node name. */
  configs: Record<string, string>;
}

/** A whole scenario file; `sha256` is that of its text, hexadecimal. */
export interface Scenario {
  name: string;
  description: string;
  /** As given on the command line. */
  file: string;
  sha256: string;
  seed: number;
  trials: number;
  variants: ScenarioVariant[];
}
