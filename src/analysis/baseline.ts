/** A baseline: what gates need of an earlier run, small enough to commit; and whether a run can be held against it (docs/baselines.md). */
import { type PortPartyError, usageError } from '../errors.js';
import type { BaselineNote, CauseCount, Measured, RunRecord } from '../record/run-record.js';
import { ATTACK_NUMBERS } from './gate-expression.js';
import type { GateNumbers } from './observe-metric.js';

/** Value of `schema`, for readers to check; the number rises when a field is removed or changes its meaning. */
export const BASELINE_SCHEMA = 'portparty/baseline@1';

/** One trial of a baseline: what gates can name, and how many visitors came. */
export interface BaselineTrial extends GateNumbers {
  visitors: { arrived: number };
}

/** A baseline, as its file has it. */
export interface Baseline {
  schema: typeof BASELINE_SCHEMA;
  /** Id of the run that it was made from. */
  run: string;
  /** ISO 8601 in UTC. */
  startedAt: string;
  /** `sha256` is that of the scenario file's text. */
  scenario: { name: string; sha256: string; seed: number };
  driver: RunRecord['driver'];
  environment: RunRecord['environment'];
  /** The trials of each variant, by its name. */
  variants: Record<string, BaselineTrial[]>;
}

/** What is held against a baseline: a record, or a run that has not begun. */
export type Comparable = Pick<RunRecord, 'scenario' | 'driver'>;

/** More visitors or fewer than then, as a share, that are another load and not another draw. */
const OTHER_LOAD = 0.05;

/**
 * Makes the baseline of a run.
 * @throws PortPartyError (exit 2) when the run was interrupted or one of its variants is invalid
 */
export function baselineOf(record: RunRecord): Baseline {
  const { id, startedAt, scenario, driver, environment } = record;
  if (record.status === 'interrupted') throw unfit('the run was interrupted', id);
  if (record.variants.length === 0) throw unfit('no variant was measured', id);
  for (const { name, validity } of record.variants)
    if (!validity.valid) throw unfit(`the measurement of ${name} is invalid: ${validity.reasons.join('; ')}`, id);
  const { name, sha256, seed } = scenario;
  const variants = record.variants.map((variant) => [variant.name, variant.perTrial.map(trialOf)] as const);
  return {
    schema: BASELINE_SCHEMA,
    run: id,
    startedAt,
    scenario: { name, sha256, seed },
    driver,
    environment,
    variants: Object.fromEntries(variants),
  };
}

function unfit(why: string, id: string): PortPartyError {
  return usageError(`this run cannot be a baseline: ${why}`, id, 'repeat the run');
}

/**
 * Refuses a baseline that says nothing about this run: of another scenario or driver, or without a variant whose gates need it.
 * @throws PortPartyError (exit 2) that names the difference
 */
export function checkBaseline(baseline: Baseline, { scenario, driver }: Comparable, variants: string[]): void {
  const where = `baseline ${baseline.run}`;
  if (baseline.scenario.name !== scenario.name)
    throw usageError(
      `it is of another scenario: ${baseline.scenario.name}, and this run is of ${scenario.name}`,
      where,
      'make one of this scenario with `portparty gate <run> --save-baseline FILE`',
    );
  if (baseline.driver !== driver)
    throw usageError(
      `it was measured with the driver ${baseline.driver}, and this run with ${driver}`,
      where,
      `use a baseline per driver, or run with --driver ${baseline.driver}`,
    );
  const missing = variants.find((name) => !Object.hasOwn(baseline.variants, name));
  if (missing !== undefined)
    throw usageError(
      `it has no variant ${missing}, and gates of that variant compare with it`,
      where,
      `it has ${Object.keys(baseline.variants).join(', ')}`,
    );
}

/** What a record says of its baseline: the run, and in sentences what was not the same then. */
export function noteOf(baseline: Baseline, record: RunRecord): BaselineNote {
  const then = { ...facts(baseline), ...baseline.environment.versions };
  const now = { ...facts(record), ...record.environment.versions };
  const differences = Object.keys(then)
    .filter((name) => Object.hasOwn(now, name) && now[name] !== then[name])
    .map((name) => `${name}: ${then[name]} in the baseline, ${now[name]} now`);
  if (baseline.scenario.sha256 !== record.scenario.sha256)
    differences.unshift('the text of the scenario file is not the same as in the baseline');
  return { run: baseline.run, differences: [...differences, ...otherLoads(baseline, record)] };
}

function facts({ scenario, environment }: Pick<Baseline, 'scenario' | 'environment'>): Record<string, string | number> {
  return { seed: scenario.seed, kernel: environment.kernel, CPUs: environment.cpus };
}

/** Losses under another load are another question, whatever else is the same. */
function otherLoads(baseline: Baseline, record: RunRecord): string[] {
  return record.variants.flatMap(({ name, perTrial }) => {
    if (!Object.hasOwn(baseline.variants, name)) return [];
    const [then, now] = [baseline.variants[name], perTrial].map(visitorsPerTrial);
    if (!(Math.abs(now - then) > OTHER_LOAD * then)) return [];
    return [`${name} had ${Math.round(then)} visitors per trial in the baseline, ${Math.round(now)} now`];
  });
}

/** NaN without trials. */
function visitorsPerTrial(trials: Pick<BaselineTrial, 'visitors'>[]): number {
  return trials.reduce((sum, { visitors }) => sum + visitors.arrived, 0) / trials.length;
}

function trialOf({ requests, visitors, tickets, latency, throughput, ports, attackers }: Measured): BaselineTrial {
  const { due, completed, dropped, attempts, byCause, delayed } = requests;
  return {
    requests: { due, completed, dropped, attempts, byCause: byCause.map(placeOf), delayed: delayed.map(placeOf) },
    visitors: { arrived: visitors.arrived },
    ...(tickets === undefined ? {} : { tickets: { sold: tickets.sold } }),
    latency,
    throughput,
    ports,
    ...(attackers === undefined ? {} : { attackers: attacksOf(attackers) }),
  };
}

function placeOf({ cause, at, count, because }: Omit<CauseCount, 'evidence'>): Omit<CauseCount, 'evidence'> {
  return { cause, at, count, ...(because === undefined ? {} : { because }) };
}

function attacksOf(attackers: NonNullable<Measured['attackers']>): NonNullable<GateNumbers['attackers']> {
  const numbersOf = (report: (typeof attackers)[string]) =>
    Object.fromEntries(ATTACK_NUMBERS.flatMap((name) => (report[name] === undefined ? [] : [[name, report[name]]])));
  return Object.fromEntries(
    Object.entries(attackers).map(([node, report]) => [node, numbersOf(report)]),
  ) as NonNullable<GateNumbers['attackers']>;
}
