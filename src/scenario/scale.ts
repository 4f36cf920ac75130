/** A variant under another load: its arrivals made anew at a level, with the part of them that a trial is judged on. Pure. */
import type { ArrivalPhase, ScenarioVariant, Traffic } from './scenario.js';

/** What is scaled: visitors per second, connections held at once, or the visitors of the scenario's own burst. */
export type LoadKind = 'rate' | 'connections' | 'visitors';

/** A kind of load, and how it is offered. */
export interface Load {
  of: LoadKind;
  /** How long a trial is judged, ms; undefined: `judgedMs`. Of `connections`: how long all of them are held. */
  forMs: number | undefined;
  /** How arrivals spread; undefined: evenly, or of `visitors` as the scenario has it. */
  process: Traffic['process'] | undefined;
}

/** A variant at a level of load. */
export interface ScaledVariant {
  variant: ScenarioVariant;
  /** Visitors who arrive in this time are judged, ms since the start. */
  judged: { fromMs: number; toMs: number };
  /** The arrivals as a whole. */
  lastsMs: number;
}

/** A rate begins at a tenth and climbs for so long: a chain that is cold, and not full, must not decide. */
const RAMP_MS = 1000;
const RAMP_FROM = 0.1;
/** A steady phase shows what a chain sustains only when ports and places have been taken and given back several times in it. */
const VISITS_PER_TRIAL = 4;
const LEAST_JUDGED_MS = 5000;
/** Connections to be held are opened at this rate at most: how many fit is the question, not how fast they may come. */
const OPENED_PER_SECOND = 500;
const HELD_MS = 1000;

/** How long a steady phase lasts when nothing else is said, ms: several visits long. */
export function judgedMs(traffic: Traffic): number {
  return Math.max(LEAST_JUDGED_MS, VISITS_PER_TRIAL * visitMs(traffic));
}

/** How long a visitor keeps what he has taken, as far as the scenario says it, ms. */
function visitMs({ journey, holdForMs, thinkTimeMs }: Traffic): number {
  if (journey === 'hold') return holdForMs;
  return journey === 'buy-ticket' ? 2 * thinkTimeMs : 0;
}

/** Visitors that the variant's own arrivals bring; of phases in closed loop none. */
export function visitorsOf({ arrivals }: Traffic): number {
  return arrivals.reduce(
    (sum, phase) => sum + ('rate' in phase ? ((phase.rate.from + phase.rate.to) / 2) * (phase.forMs / 1000) : 0),
    0,
  );
}

/** The highest rate of the variant's own arrivals, per second; 0 in closed loop. */
export function peakRateOf({ arrivals }: Traffic): number {
  return Math.max(0, ...arrivals.map((phase) => ('rate' in phase ? Math.max(phase.rate.from, phase.rate.to) : 0)));
}

/** The variant at that level. Its events are left out where the arrivals are not its own: their times would mean nothing. */
export function scaleVariant(variant: ScenarioVariant, load: Load, level: number): ScaledVariant {
  switch (load.of) {
    case 'rate':
      return atRate(variant, load, level);
    case 'connections':
      return withHeld(variant, load, level);
    case 'visitors':
      return withVisitors(variant, load, level);
  }
}

function atRate(variant: ScenarioVariant, { forMs, process = 'uniform' }: Load, level: number): ScaledVariant {
  const { traffic } = variant;
  const fromMs = RAMP_MS + visitMs(traffic);
  const toMs = fromMs + (forMs ?? judgedMs(traffic));
  const arrivals: ArrivalPhase[] = [
    { forMs: RAMP_MS, rate: { from: level * RAMP_FROM, to: level } },
    { forMs: toMs - RAMP_MS, rate: { from: level, to: level } },
  ];
  return {
    variant: { ...variant, traffic: { ...traffic, arrivals, process }, events: [] },
    judged: { fromMs, toMs },
    lastsMs: toMs,
  };
}

function withHeld(
  variant: ScenarioVariant,
  { forMs = HELD_MS, process = 'uniform' }: Load,
  level: number,
): ScaledVariant {
  const { traffic } = variant;
  const openingMs = Math.max(RAMP_MS, (level / OPENED_PER_SECOND) * 1000);
  const rate = (level * 1000) / openingMs;
  return {
    variant: {
      ...variant,
      traffic: {
        ...traffic,
        journey: 'hold',
        // The first one is still there when the last one has got through, or has given up.
        holdForMs: Math.ceil(openingMs + traffic.timeout.connectMs + forMs),
        connections: { mode: 'per-request' },
        arrivals: [{ forMs: openingMs, rate: { from: rate, to: rate } }],
        process,
      },
      events: [],
    },
    judged: { fromMs: 0, toMs: openingMs },
    lastsMs: openingMs,
  };
}

function withVisitors(variant: ScenarioVariant, { process }: Load, level: number): ScaledVariant {
  const { traffic } = variant;
  const factor = level / visitorsOf(traffic);
  const arrivals = traffic.arrivals.map((phase): ArrivalPhase => {
    if (!('rate' in phase)) return phase;
    return { forMs: phase.forMs, rate: { from: phase.rate.from * factor, to: phase.rate.to * factor } };
  });
  const toMs = arrivals.reduce((sum, phase) => sum + phase.forMs, 0);
  return {
    variant: { ...variant, traffic: { ...traffic, arrivals, process: process ?? traffic.process } },
    judged: { fromMs: 0, toMs },
    lastsMs: toMs,
  };
}
