/** What a variant was measured to do against another, in words short enough for a comment, and honest where nothing was shown. */
import { compareRuns } from '../../analysis/comparison/compare.js';
import type { MetricVerdict } from '../../analysis/comparison/comparison.js';
import type { RunRecord, VariantRecord } from '../../record/run-record.js';
import { count, ms, plural } from '../format.js';

/** The measured effect. */
export interface Effect {
  /** `dropped 159 → 0 of 3,678, response p99 39 → 8.3 ms (1 trial each, too few to rule out chance), against as-shipped`. */
  words: string;
  /** The same for a comment behind a line: `dropped 159 → 0 of 3,678 (1 trial, against as-shipped)`. */
  short: string;
  /** A row per number, for a table: what, before, after, and what the trials show of it. */
  rows: [metric: string, before: string, after: string, shown: string][];
}

/** Latencies are compared by the percentile that gates mostly look at. */
const LATENCY = 'latency.response.p99';
/** Intervals are not shown, so there is no need to have them exact. */
const RESAMPLES = 100;

/** Words for the effect of `variant` against `base`, both of the same run. */
export function effectOf(record: RunRecord, base: VariantRecord, variant: VariantRecord): Effect {
  const trials = Math.min(base.trials, variant.trials);
  const verdicts = verdictsOf(record, base.name, variant.name);
  const [before, after] = [base, variant].map(({ requests, latency }) => ({ ...requests, response: latency.response }));
  const sameDue = before.due === after.due;
  const dropped = sameDue
    ? `dropped ${count(before.dropped)} → ${count(after.dropped)} of ${count(after.due)}`
    : `dropped ${count(before.dropped)} of ${count(before.due)} → ${count(after.dropped)} of ${count(after.due)}`;
  const timed = before.response.count > 0 && after.response.count > 0;
  const latency = `response p99 ${ms(before.response.p99)} → ${ms(after.response.p99)} ms`;
  const facts = [
    { words: dropped, verdict: verdicts.get('dropped') ?? 'not-measured' },
    ...(timed ? [{ words: latency, verdict: verdicts.get(LATENCY) ?? 'not-measured' }] : []),
  ];
  const nothing = before.dropped === after.dropped && sameDue && !facts.some(({ verdict }) => isShown(verdict));
  const [row, ...more] = facts.map(({ verdict }) => shownBy(verdict, trials));
  return {
    words: `${warning([base, variant])}${sentence(facts, trials, nothing)}, against ${base.name}`,
    short: `${warning([base, variant])}${brief(facts, trials, nothing, base.name)}`,
    rows: [
      [
        'dropped',
        `${count(before.dropped)} of ${count(before.due)}`,
        `${count(after.dropped)} of ${count(after.due)}`,
        row,
      ],
      ...more.map((shown): Effect['rows'][number] => [
        'response p99',
        `${ms(before.response.p99)} ms`,
        `${ms(after.response.p99)} ms`,
        shown,
      ]),
    ],
  };
}

interface Fact {
  words: string;
  verdict: MetricVerdict;
}

function sentence(facts: Fact[], trials: number, nothing: boolean): string {
  const all = facts.map(({ words }) => words).join(', ');
  if (nothing) return `changed nothing that ${plural(trials, 'trial')} can show (${all})`;
  const verdicts = new Set(facts.map(({ verdict }) => shownBy(verdict, trials)));
  if (verdicts.size > 1) return facts.map(({ words, verdict }) => `${words} (${shownBy(verdict, trials)})`).join(', ');
  return `${all} (${[...verdicts][0]})`;
}

/** The requests that were lost; where those are the same, what else the trials show. */
function brief(facts: Fact[], trials: number, nothing: boolean, base: string): string {
  if (nothing) return `changed nothing that ${plural(trials, 'trial')} can show, against ${base}`;
  const [dropped, ...others] = facts;
  const { words, verdict } =
    dropped.verdict === 'same' ? (others.find((fact) => isShown(fact.verdict)) ?? dropped) : dropped;
  const how =
    verdict === 'too-few-trials' || verdict === 'not-measured' ? plural(trials, 'trial') : shownBy(verdict, trials);
  return `${words} (${how}, against ${base})`;
}

const isShown = (verdict: MetricVerdict) => ['better', 'worse', 'higher', 'lower'].includes(verdict);

function shownBy(verdict: MetricVerdict, trials: number): string {
  const many = `${plural(trials, 'trial')}${trials === 1 ? ' each' : ''}`;
  switch (verdict) {
    case 'same':
      return `the same in ${plural(trials, 'trial')}`;
    case 'no-difference':
      return `no difference that ${plural(trials, 'trial')} can show`;
    case 'too-few-trials':
      return `${many}, too few to rule out chance`;
    case 'not-measured':
      return `${many}, not compared`;
    default:
      return `${verdict}, shown by ${plural(trials, 'trial')}`;
  }
}

function warning(variants: VariantRecord[]): string {
  const invalid = variants.filter(({ validity }) => !validity.valid).map(({ name }) => name);
  return invalid.length === 0 ? '' : `MEASURED INVALIDLY (${invalid.join(', ')}), do not trust: `;
}

/** By metric. Numbers that must not be trusted are marked by their own words, so a comparison is made of them all the same. */
function verdictsOf(record: RunRecord, base: string, variant: string): Map<string, MetricVerdict> {
  const metrics = ['dropped', LATENCY];
  const options = { base, variants: [variant], metrics, force: true, resamples: RESAMPLES };
  const [pair] = compareRuns(record, undefined, options).pairs;
  return new Map(pair.metrics.map(({ metric, verdict }) => [metric, verdict]));
}
