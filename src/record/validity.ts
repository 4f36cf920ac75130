/** Whether a trial's numbers may be trusted: what makes them wrong, in words. */
import type { GeneratorReport } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';
import { countRequests } from './count-outcomes.js';
import type { Measured } from './run-record.js';

/** What a trial's numbers are held against. */
export interface Expectations {
  /** Visitors that the schedule planned; undefined in closed loop. */
  plannedVisitors: number | undefined;
  /** Limit of the generator's lateness, p99 in ms. */
  maxLatenessMs: number;
  /** What else makes the measurement invalid, with what to do: taps that lost packets, logs that could not be read. */
  problems: string[];
}

/** Whether the numbers of a trial may be trusted, and every reason against it. */
export function validityOf(
  outcomes: Outcomes,
  measured: Omit<Measured, 'validity'>,
  { plannedVisitors, maxLatenessMs, problems }: Expectations,
): Measured['validity'] {
  const reasons = [
    ...nothingMeasured(measured.requests.due),
    ...generatorTrouble(measured.generator, maxLatenessMs, plannedVisitors !== undefined),
    ...neverArrived(plannedVisitors, measured.visitors.arrived),
    ...[imbalance(outcomes, measured)].filter((reason) => reason !== undefined),
    ...problems,
  ];
  return { valid: reasons.length === 0, reasons };
}

/**
 * Why the ledger does not balance, in words, or undefined when it does: every request that came due ended as completed or dropped,
 * every dropped one has exactly one cause, every visitor is served, sold out or turned away.
 */
export function imbalance(outcomes: Outcomes, measured: Omit<Measured, 'validity'>): string | undefined {
  const { requests, visitors } = measured;
  const counted = countRequests(outcomes);
  const underWay = counted.due - counted.completed - counted.dropped;
  const caused = requests.byCause.reduce((sum, { count }) => sum + count, 0);
  const ended = visitors.served + visitors.soldOut + visitors.turnedAway;
  if (underWay !== 0) return unbalanced(`${underWay} of ${counted.due} requests ended neither completed nor dropped`);
  for (const name of ['due', 'completed', 'dropped', 'attempts'] as const) {
    if (requests[name] !== counted[name])
      return unbalanced(`${name} is ${requests[name]}, but the outcomes say ${counted[name]}`);
  }
  if (caused !== requests.dropped)
    return unbalanced(`${requests.dropped} requests were dropped, but ${caused} have a cause`);
  const late = requests.delayed.reduce((sum, { count }) => sum + count, 0);
  if (late > requests.completed)
    return unbalanced(`${late} requests were delayed, but ${requests.completed} completed`);
  if (ended !== visitors.arrived)
    return unbalanced(
      `${visitors.arrived} visitors arrived, but ${ended} were served, met a sold-out sale or were turned away`,
    );
  return undefined;
}

function nothingMeasured(due: number): string[] {
  return due === 0
    ? ['no request came due, so nothing was measured; let the arrivals last longer or raise their rate']
    : [];
}

function generatorTrouble(generator: GeneratorReport, maxLatenessMs: number, openLoop: boolean): string[] {
  const reasons: string[] = [];
  if (openLoop && !Number.isFinite(generator.lateP99Ms))
    reasons.push(`the ${generator.engine} engine could not tell how late it was; use --engine socket`);
  if (generator.lateP99Ms > maxLatenessMs)
    reasons.push(
      `the generator was late: 1 of 100 requests was sent ${generator.lateP99Ms.toFixed(1)} ms or more after its planned time ` +
        `(limit ${maxLatenessMs} ms); lower the rate, use a machine with more cores, or raise traffic.maxLateness`,
    );
  if (generator.ownFailures > 0)
    reasons.push(
      `the generator itself ran out of file descriptors or memory ${generator.ownFailures} times; raise \`ulimit -n\` or lower the load`,
    );
  return reasons;
}

function neverArrived(planned: number | undefined, arrived: number): string[] {
  if (planned === undefined || planned === arrived) return [];
  return [
    `${planned - arrived} of ${planned} planned visitors never arrived: the generator ended early; see the run's logs`,
  ];
}

function unbalanced(what: string): string {
  return `the ledger does not balance: ${what}; please report this with the run's folder`;
}
