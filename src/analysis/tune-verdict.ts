/** What trials say of each setting that was tried, and which one is best. Pure. */
import type { RunRecord, VariantRecord } from '../record/run-record.js';
import { compareRuns } from './comparison/compare.js';
import type { MetricComparison } from './comparison/comparison.js';
import type { Candidate } from './tune-candidates.js';

/** A setting that was tried. */
export interface TriedSetting extends Candidate {
  /** Against the variant without it. */
  effect: MetricComparison;
  /** Requests that came due, and those that were dropped, over all trials. */
  due: number;
  dropped: number;
  /** Of the response, over all trials; null where nothing completed. */
  responseP99Ms: number | null;
  /** What its requests are still lost to, the largest first. */
  lostTo: { cause: string; at: string; count: number }[];
  validity: VariantRecord['validity'];
}

/** All that was tried. */
export interface TuneVerdict {
  /** What was to become better, as a gate names it. */
  metric: string;
  base: Pick<TriedSetting, 'due' | 'dropped' | 'responseP99Ms' | 'lostTo' | 'validity'>;
  /** In the order in which they were proposed or given. */
  tried: TriedSetting[];
  /** Name of the one that helps most; of equals the first. null where none was shown to help. */
  winner: string | null;
  /** Of the verdicts together: 0.95. */
  confidence: number;
}

/** Where nothing is lost, what can become better is how long it takes. */
const DROPPED = 'dropped';
const RESPONSE = 'latency.response.p99';

/** Judges a run whose first variant is without any of the settings, and whose others are named like the candidates. */
export function tuneVerdict(record: RunRecord, candidates: Candidate[], wanted: string | undefined): TuneVerdict {
  const [base, ...others] = record.variants;
  const metric = wanted ?? (record.variants.some(({ requests }) => requests.dropped > 0) ? DROPPED : RESPONSE);
  // An invalid trial is told with its setting, and does not hide what the others say.
  const { pairs, confidence } = compareRuns(record, undefined, { base: base.name, metrics: [metric], force: true });
  const tried = candidates.flatMap((candidate): TriedSetting[] => {
    const variant = others.find(({ name }) => name === candidate.name);
    const effect = pairs.find(({ other }) => other.variant === candidate.name)?.metrics[0];
    return variant === undefined || effect === undefined ? [] : [{ ...candidate, effect, ...numbersOf(variant) }];
  });
  const sign = tried[0]?.effect.better === 'more' ? -1 : 1;
  const [best] = tried
    .filter(({ effect, validity }) => effect.verdict === 'better' && validity.valid)
    .sort((a, b) => sign * ((a.effect.other.mean ?? 0) - (b.effect.other.mean ?? 0)));
  return { metric, base: numbersOf(base), tried, winner: best?.name ?? null, confidence };
}

function numbersOf({ requests, latency, validity }: VariantRecord): TuneVerdict['base'] {
  return {
    due: requests.due,
    dropped: requests.dropped,
    responseP99Ms: latency.response.count === 0 ? null : latency.response.p99,
    lostTo: requests.byCause.map(({ cause, at, count }) => ({ cause, at, count })),
    validity,
  };
}
