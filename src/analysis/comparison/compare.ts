/** Two runs, or the variants of one: what differs, how sure that is, and what so few trials cannot say. Never a winner by noise. */
import { usageError } from '../../errors.js';
import type { RunRecord, TrialRecord } from '../../record/run-record.js';
import { smallestPOf } from '../permutation.js';
import { RESAMPLES } from './bootstrap.js';
import { arrivalObstacles, type Obstacle, statusObstacles, validityObstacles, variantObstacles } from './comparable.js';
import { type Contrast, contrastOf, type Trials } from './compare-metric.js';
import {
  COMPARISON_SCHEMA,
  type Comparison,
  type MetricComparison,
  type MetricVerdict,
  type PairComparison,
} from './comparison.js';
import { holm } from './holm.js';
import { chooseMetrics } from './metrics.js';
import { trialsToShow, trialsToShowAnything } from './needed-trials.js';
import { type Pair, type PairOptions, pairsOfOne, pairsOfTwo, sameSeed, sidesOf, trialsOf } from './pairs.js';

/** What to compare, and how. */
export interface CompareOptions extends PairOptions {
  /** Only these metrics, by name or by the beginning of several; any metric of a gate will do. */
  metrics?: readonly string[];
  /** 0.95 unless said otherwise. */
  confidence?: number;
  /** Compare although the numbers mean something else; the comparison is marked. */
  force?: boolean;
  /** Resamples of the bootstrap, 10,000 unless said otherwise. */
  resamples?: number;
}

/**
 * Compares the variants of one run with one of them, or the variants of a second run with those of the same name in the first.
 * @throws PortPartyError (exit 2) when there is nothing to compare, or when the numbers do not mean the same, by name of the difference
 */
export function compareRuns(base: RunRecord, other: RunRecord | undefined, options: CompareOptions = {}): Comparison {
  const { confidence = 0.95, resamples = RESAMPLES } = options;
  const { pairs, marks } = other === undefined ? pairsOfOne(base, options) : pairsOfTwo(base, other, options);
  const trials = pairs.map(trialsOf);
  const obstacles = [
    ...marks,
    ...[base, ...(other === undefined ? [] : [other])].flatMap(statusObstacles),
    ...sidesOf(pairs).flatMap(({ run, variant }) => validityObstacles(run, variant)),
    ...pairs.flatMap((pair) => variantObstacles(pair.base.variant, pair.other.variant, other === undefined)),
    ...pairs.flatMap((pair) => (sameSeed(pair) ? arrivalObstacles(pair.base.variant, pair.other.variant) : [])),
  ];
  refuse(obstacles, options.force === true);
  const metrics = chooseMetrics(
    sidesOf(pairs).map(({ variant }) => variant),
    options.metrics ?? [],
  );
  const contrasts = trials.map((one) => metrics.map((metric) => contrastOf(metric, one, { confidence, resamples })));
  return {
    schema: COMPARISON_SCHEMA,
    scenario: base.scenario.name,
    confidence,
    ...judge(pairs, trials, contrasts, Number((1 - confidence).toPrecision(12))),
    resamples,
    marks: obstacles,
  };
}

function refuse(obstacles: Obstacle[], force: boolean): void {
  const refused = obstacles.filter((obstacle) => obstacle.refused);
  if (refused.length === 0 || force) return;
  throw usageError(
    `not comparable: ${refused.map(({ text }) => text).join('; ')}`,
    undefined,
    '--force compares all the same, and marks it',
  );
}

/**
 * Verdicts over all metrics of all pairs. Only those that could have shown a difference share the chance of a false alarm: a metric that was the
 * same in (nearly) all trials can raise none (Tarone 1990, "A modified Bonferroni method for discrete data", Biometrics 46).
 */
function judge(
  pairs: Pair[],
  trials: Trials[],
  contrasts: Contrast[][],
  alpha: number,
): Pick<Comparison, 'metricsTested' | 'pairs'> {
  const measured = contrasts.flat().flatMap((contrast) => contrast.measured ?? []);
  const differing = measured.filter(({ test }) => test.differs);
  const testable = differing.filter(({ test }) => test.smallestP <= alpha);
  const adjusted = holm(testable.map(({ test }) => test.p));
  const family = testable.length > 0 ? testable.length : differing.length;
  const judged = pairs.map((pair, index): PairComparison => {
    const { base, other, paired } = trials[index];
    const counts = { base: base.length, other: other.length };
    const possible = smallestPOf([counts.base, counts.other], paired) * Math.max(1, family) <= alpha;
    const metrics = contrasts[index].map((contrast): MetricComparison => {
      const { metric, measured: found } = contrast;
      const place = found === undefined ? -1 : testable.indexOf(found);
      const adjustedP = found === undefined ? null : place === -1 ? 1 : adjusted[place];
      return {
        metric: metric.name,
        unit: metric.unit,
        better: metric.better,
        scale: metric.scale,
        base: contrast.base,
        other: contrast.other,
        change: found?.change ?? null,
        interval: found?.interval ?? null,
        p: found?.test.p ?? null,
        adjustedP,
        verdict: verdictOf(contrast, adjustedP, alpha, possible),
        trialsNeeded:
          found === undefined
            ? null
            : trialsToShow(found.difference, found.deviation, { metrics: family, alpha, paired }),
      };
    });
    return {
      base: { run: pair.base.run.id, variant: pair.base.variant.name },
      other: { run: pair.other.run.id, variant: pair.other.variant.name },
      paired,
      trials: counts,
      dropped: { base: droppedIn(base), other: droppedIn(other) },
      exact: contrasts[index].every((contrast) => contrast.measured?.test.exact ?? true),
      metrics,
      trialsToShowAnything: trialsToShowAnything(family, alpha, paired),
    };
  });
  return { metricsTested: family, pairs: judged };
}

function droppedIn(trials: TrialRecord[]): number {
  return trials.reduce((sum, { requests }) => sum + requests.dropped, 0);
}

function verdictOf(
  { metric, measured }: Contrast,
  adjustedP: number | null,
  alpha: number,
  possible: boolean,
): MetricVerdict {
  if (measured === undefined || adjustedP === null) return 'not-measured';
  if (!measured.test.differs) return 'same';
  if (adjustedP > alpha) return possible ? 'no-difference' : 'too-few-trials';
  const more = measured.difference > 0;
  if (metric.better === null) return more ? 'higher' : 'lower';
  return more === (metric.better === 'more') ? 'better' : 'worse';
}
