/** The search for the highest rate that is sent on time: which rate is tried next. A step is a plain value, so the search is a plain function. */
import type { Calibration, CalibrationStep } from './calibration.js';

/** Where it begins: any machine of today sends that. New connections per second. */
const FIRST = 4000;
/** Beyond, a client host is out of ports before a step is over. */
const HIGHEST = 64_000;
/** Below, a machine is of no use as a generator. */
const LOWEST = 250;
/** The search ends where the rate that passed and the one that failed are so close. */
const CLOSE = 1.12;
/** A hiccup of the machine may spoil a step; two of them at the same rate are taken for the rate. */
const TRIES = 2;

type Tried = Pick<CalibrationStep, 'rate' | 'passed'>;

/** The next rate to try; undefined when the answer is known. */
export function nextRate(steps: Tried[]): number | undefined {
  const last = steps.at(-1);
  if (last === undefined) return FIRST;
  if (!last.passed && triesAt(steps, last.rate) < TRIES) return last.rate;
  const { low, high } = bracket(steps);
  if (high === undefined) return low! >= HIGHEST ? undefined : Math.min(HIGHEST, low! * 2);
  if (low === undefined) return high / 2 < LOWEST ? undefined : high / 2;
  return high / low <= CLOSE ? undefined : roundRate(Math.sqrt(low * high));
}

/** What the steps say together. */
export function resultOf(
  steps: CalibrationStep[],
): Pick<Calibration, 'steadyPerSecond' | 'isAtLeast' | 'connectionsPerSecond'> {
  const { low, high } = bracket(steps);
  return {
    steadyPerSecond: low ?? null,
    isAtLeast: low !== undefined && high === undefined,
    connectionsPerSecond: Math.max(0, ...steps.map(({ connectionsPerSecond }) => connectionsPerSecond)),
  };
}

function triesAt(steps: Tried[], rate: number): number {
  return steps.filter((step) => step.rate === rate).length;
}

/** The highest rate that passed, and the lowest one that failed as often as it may; a rate that passed once has passed. */
function bracket(steps: Tried[]): { low: number | undefined; high: number | undefined } {
  const passed = steps.filter((step) => step.passed).map(({ rate }) => rate);
  const low = passed.length === 0 ? undefined : Math.max(...passed);
  const failed = steps
    .filter((step) => !step.passed && triesAt(steps, step.rate) >= TRIES)
    .map(({ rate }) => rate)
    .filter((rate) => low === undefined || rate > low);
  return { low, high: failed.length === 0 ? undefined : Math.min(...failed) };
}

/** Two digits are all that a short step can tell. */
function roundRate(rate: number): number {
  return Number(rate.toPrecision(2));
}
