/** `toHoldGates` for test frameworks whose `expect` can be extended as Jest's can: the gates of a run as an assertion. */
import type { Baseline } from '../analysis/baseline.js';
import { type GateFor, gateRun } from '../analysis/gate-run.js';
import { ExitCode, PortPartyError, usageError } from '../errors.js';
import { readBaseline } from '../record/read-baseline.js';
import { RUN_SCHEMA, type RunRecord } from '../record/run-record.js';
import { failureText } from '../report/failure-text.js';

/** What is held, all of it optional: without it the gates of the scenario, for all variants. */
export interface HoldGatesOptions {
  /** These instead of the scenario's. */
  gates?: GateFor[];
  /** Only these variants. */
  variants?: string[];
  /** What relative gates are held against: a run, a file of `portparty gate --save-baseline`, or a baseline that was read already. */
  baseline?: string | Baseline;
}

/** What a matcher gives back. */
export interface MatcherResult {
  pass: boolean;
  /** What a failing assertion says: of gates that fail, or behind `not` of gates that hold. */
  message: () => string;
}

/**
 * Holds gates against the record of a run. What proves nothing is no result of either kind: without gates, or where the measurement is
 * invalid or was interrupted, it throws, with `not` as well.
 * @throws PortPartyError that says why nothing was decided
 */
function toHoldGates(received: unknown, options: HoldGatesOptions = {}): MatcherResult {
  const { gates, variants, baseline } = options;
  const judged = gateRun(recordOf(received), {
    gates,
    variants,
    baseline: typeof baseline === 'string' ? readBaseline(baseline) : baseline,
  });
  const { verdict, status } = judged;
  if (status === 'interrupted') throw undecided('the run was interrupted', ExitCode.interrupted, judged);
  if (verdict === 'invalid') {
    const reasons = judged.variants.flatMap(({ name, validity }) => validity.reasons.map((one) => `${name}: ${one}`));
    throw undecided(`the measurement is invalid (${reasons.join('; ')})`, ExitCode.invalid, judged);
  }
  if (verdict === 'none') throw undecided('there are no gates to hold', ExitCode.usage, judged);
  const count = judged.variants.reduce((sum, variant) => sum + variant.gates.length, 0);
  const pass = verdict === 'pass';
  return {
    pass,
    message: () =>
      pass
        ? `expected a gate of ${judged.scenario.name} to fail, but ${count === 1 ? 'the gate holds' : `all ${count} hold`}`
        : failureText(judged),
  };
}

/** For `expect.extend(matchers)`. */
export const matchers: {
  /** Holds gates against the record of a run. */
  toHoldGates: (received: unknown, options?: HoldGatesOptions) => MatcherResult;
} = { toHoldGates };

function recordOf(received: unknown): RunRecord {
  if ((received as Partial<RunRecord> | null | undefined)?.schema === RUN_SCHEMA) return received as RunRecord;
  throw usageError(
    received instanceof Promise
      ? 'toHoldGates got a promise, not the record of a run'
      : 'this is not the record of a run',
    'expect(…).toHoldGates()',
    "write expect(await run('scenario.yaml')).toHoldGates()",
  );
}

function undecided(why: string, exitCode: ExitCode, { id }: RunRecord): PortPartyError {
  return new PortPartyError(`no gate was decided: ${why}`, { exitCode, where: id });
}
