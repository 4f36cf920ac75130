/** Which settings are held against each other: the variants of a run, or those of the same name in two; and which of their trials. */
import { usageError } from '../../errors.js';
import type { RunRecord, VariantRecord } from '../../record/run-record.js';
import { arrivalObstacles, type Obstacle, runObstacles } from './comparable.js';
import type { Trials } from './compare-metric.js';

/** Two settings to hold against each other. */
export interface Pair {
  base: { run: RunRecord; variant: VariantRecord };
  other: { run: RunRecord; variant: VariantRecord };
}

/** What narrows the choice. */
export interface PairOptions {
  /** Of one run: the variant that the others are compared with; its first one unless said otherwise. */
  base?: string;
  /** Only these variants. */
  variants?: readonly string[];
}

/** The variants of a run against one of them.
 * @throws PortPartyError (exit 2) when there is nothing to compare */
export function pairsOfOne(run: RunRecord, { base, variants }: PairOptions): { pairs: Pair[]; marks: Obstacle[] } {
  const names = run.variants.map(({ name }) => name);
  const baseVariant = base === undefined ? run.variants[0] : named(run, base);
  const others = run.variants.filter(
    (variant) => variant !== baseVariant && (variants?.includes(variant.name) ?? true),
  );
  for (const name of variants ?? []) named(run, name);
  if (others.length === 0)
    throw usageError(
      names.length > 1 ? 'nothing is left to compare' : `the run has ${names.length === 0 ? 'no' : 'only one'} variant`,
      run.id,
      names.length > 1 ? `it has ${names.join(', ')}` : 'name a second run, or give the scenario a second variant',
    );
  return {
    pairs: others.map((variant) => ({ base: { run, variant: baseVariant }, other: { run, variant } })),
    marks: [],
  };
}

/** The variants of the same name in two runs.
 * @throws PortPartyError (exit 2) when there is nothing to compare */
export function pairsOfTwo(
  base: RunRecord,
  other: RunRecord,
  { base: baseName, variants }: PairOptions,
): { pairs: Pair[]; marks: Obstacle[] } {
  if (base.id === other.id)
    throw usageError(
      'a run compared with itself shows nothing',
      base.id,
      'name another run, or this one alone to compare its variants',
    );
  if (baseName !== undefined)
    throw usageError('--base chooses a variant of one run; of two runs the first one is the base', '--base');
  for (const name of variants ?? []) [base, other].map((run) => named(run, name));
  const [a, b] = [base, other].map((run) => run.variants.filter(({ name }) => variants?.includes(name) ?? true));
  const pairs = a.flatMap((variant) => {
    const twin = b.find(({ name }) => name === variant.name);
    return twin === undefined ? [] : [{ base: { run: base, variant }, other: { run: other, variant: twin } }];
  });
  if (pairs.length === 0)
    throw usageError(
      'the runs have no variant in common',
      undefined,
      `${base.id} has ${told(a)}; ${other.id} has ${told(b)}`,
    );
  const alone = [a, b].flatMap((all, index) =>
    all
      .filter(({ name }) => !pairs.some((pair) => pair.base.variant.name === name))
      .map(({ name }) => ({
        about: 'variants',
        text: `${name} is only in run ${[base, other][index].id}, so it is left out`,
        refused: false,
      })),
  );
  return { pairs, marks: [...runObstacles(base, other), ...alone] };
}

function named(run: RunRecord, name: string): VariantRecord {
  const found = run.variants.find((variant) => variant.name === name);
  if (found === undefined) throw usageError(`the run has no variant "${name}"`, run.id, `it has ${told(run.variants)}`);
  return found;
}

function told(variants: VariantRecord[]): string {
  return variants.map(({ name }) => name).join(', ') || 'none';
}

/** Every variant that takes part, once. */
export function sidesOf(pairs: Pair[]): Pair['base'][] {
  const sides = pairs.flatMap(({ base, other }) => [base, other]);
  return sides.filter((side, index) => sides.findIndex(({ variant }) => variant === side.variant) === index);
}

/** Whether both settings met arrivals of the same seed. */
export function sameSeed({ base, other }: Pair): boolean {
  return base.run.scenario.seed === other.run.scenario.seed;
}

/** The trials to compare. Those of the same number are pairs within a run; between runs where they had the same arrivals. */
export function trialsOf(pair: Pair): Trials {
  const [base, other] = [pair.base.variant, pair.other.variant];
  const paired = pair.base.run === pair.other.run || (sameSeed(pair) && arrivalObstacles(base, other).length === 0);
  if (!paired) return { base: base.perTrial, other: other.perTrial, paired };
  const twins = base.perTrial.flatMap((trial) => {
    const twin = other.perTrial.find((one) => one.trial === trial.trial);
    return twin === undefined ? [] : [{ trial, twin }];
  });
  return { base: twins.map(({ trial }) => trial), other: twins.map(({ twin }) => twin), paired };
}
