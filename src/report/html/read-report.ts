/** Reads a run's folder into what its report shows. Requests go by one at a time; what is kept of them is bounded. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistogramLogReader } from 'hdr-histogram-js';
import { compareRuns } from '../../analysis/comparison/compare.js';
import { type StoryInput, tellStory } from '../../analysis/story.js';
import { PortPartyError, usageError } from '../../errors.js';
import { findById } from '../../record/find-request.js';
import { LATENCY_KINDS, type LatencyKind, newHistogram } from '../../record/latency.js';
import { findRun, readRun } from '../../record/read-record.js';
import type { RequestRow } from '../../record/read-requests.js';
import { readStories } from '../../record/read-stories.js';
import { trialName } from '../../record/run-files.js';
import type { RunRecord, VariantRecord } from '../../record/run-record.js';
import { renderRequest } from '../explain/way-text.js';
import { curveOf } from './latency-curves.js';
import type { LatencyCurve } from './page-data.js';
import type { Example, LatencyInterval, ReportComparison, ReportData, ToldTrial } from './report-data.js';
import { lossLabel, newSeries, type SeriesSample } from './trial-series.js';

/** Variants that are told in full. */
const MOST_TOLD = 24;
/** Bins of all time series together, and those of one at least and at most. */
const BINS = 12_000;
const [FEWEST_BINS, MOST_BINS] = [120, 1000];
/** Single requests that are shown of one cause; of all variants together; and of a variant at least and at most. */
const EXAMPLES_PER_CAUSE = 3;
const EXAMPLES = 144;
const [FEWEST_EXAMPLES, MOST_EXAMPLES] = [6, 24];
/** Variants whose latencies are drawn. */
const MOST_CURVES = 100;
/** Rows of the table of latencies. */
const MOST_INTERVALS = 40;
/** Columns of a request's story. */
const STORY_WIDTH = 92;

/**
 * All that the report of a run shows. The run is found as by `readRun`: a folder, an id, or `latest`.
 * @throws PortPartyError (exit 2) when there is no such run, or its record is damaged
 */
export function readReport(run?: string, resultsDir?: string): ReportData {
  const dir = findRun(run, resultsDir);
  const record = readRun(dir);
  const { trials, missing } = existsSync(join(dir, 'requests.bin'))
    ? readStories(dir, record, {})
    : { trials: [], missing: ['The record has no requests.bin: nothing is told of single requests or of time.'] };
  const chosen = mostLost(trials);
  const told = withMostLost(chosen, MOST_TOLD);
  const each = (all: number, fewest: number, most: number) =>
    Math.max(fewest, Math.min(most, Math.floor(all / Math.max(1, told.length))));
  const limits = {
    bins: each(BINS, FEWEST_BINS, MOST_BINS),
    examples: each(EXAMPLES, FEWEST_EXAMPLES, MOST_EXAMPLES),
  };
  return {
    record,
    missing,
    told: told.map((input) => tell(dir, input, countOf(record, trials, input.variant), limits)),
    untold: chosen.filter((input) => !told.includes(input)).map(({ variant }) => variant),
    curves: record.variants
      .slice(0, MOST_CURVES)
      .flatMap((variant) => LATENCY_KINDS.map((kind) => mergedCurve(dir, variant, kind))),
    comparison: compared(record),
  };
}

/** Of each variant the trial that lost the most, the first of equals. */
function mostLost(trials: StoryInput[]): StoryInput[] {
  const most = new Map<string, StoryInput>();
  for (const input of trials) {
    const known = most.get(input.variant);
    if (known === undefined || lossOf(input) > lossOf(known)) most.set(input.variant, input);
  }
  return [...most.values()];
}

const lossOf = ({ trial }: StoryInput) => trial?.requests.dropped ?? -1;

/** So many with the greatest losses, in their own order. */
function withMostLost(inputs: StoryInput[], most: number): StoryInput[] {
  const kept = new Set(inputs.toSorted((a, b) => lossOf(b) - lossOf(a)).slice(0, most));
  return inputs.filter((input) => kept.has(input));
}

function countOf(record: RunRecord, trials: StoryInput[], variant: string): number {
  return (
    record.variants.find(({ name }) => name === variant)?.trials ??
    trials.filter((input) => input.variant === variant).length
  );
}

function tell(dir: string, input: StoryInput, trials: number, limits: { bins: number; examples: number }): ToldTrial {
  const series = newSeries();
  const examples = new Map<string, RequestRow[]>();
  function* gathered(): Generator<RequestRow, void, undefined> {
    for (const row of input.requests) {
      series.add(row);
      if (row.cause !== null) {
        const key = `${row.state} ${lossLabel(row)}`;
        const known = examples.get(key);
        if (known === undefined) examples.set(key, [row]);
        else if (known.length < EXAMPLES_PER_CAUSE) known.push(row);
      }
      yield row;
    }
  }
  const story = tellStory({ ...input, requests: gathered() });
  const { variant, trialNumber: trial, trial: record, chain, events } = input;
  return {
    variant,
    trial,
    trials,
    story,
    ...(chain !== undefined && { chain: { nodes: chain.nodes, traffic: chain.traffic } }),
    series: series.finish({
      variant,
      trial,
      record,
      // A sample holds more than a story needs.
      samples: input.samples as unknown as SeriesSample[],
      events,
      mostBins: limits.bins,
    }),
    latencyTable: intervalsOf(dir, variant, trial, record?.latency.response.max ?? Number.POSITIVE_INFINITY),
    examples: [...examples.values()]
      .flat()
      .slice(0, limits.examples)
      .map((row) => exampleOf(dir, row)),
  };
}

function exampleOf(dir: string, row: RequestRow): Example {
  const found = findById(dir, row.id, { variants: [row.variant], trial: row.trial });
  const story = found.kind === 'request' ? renderRequest(found.found, { color: false, width: STORY_WIDTH }) : '';
  const { id, step, client, dueMs } = row;
  return {
    id,
    place: lossLabel(row),
    state: row.state === 'dropped' ? 'dropped' : 'completed',
    step,
    client,
    dueMs,
    story,
  };
}

/** Every interval of a trial's log, with the second since the trial's start at which it begins; none where there is no log, as of a trial that was cut short. */
function* intervals(dir: string, variant: string, trial: number, kind: LatencyKind) {
  const file = join(dir, 'latency', `${trialName(variant, trial)}-${kind}.hlog`);
  if (!existsSync(file)) return;
  try {
    const reader = new HistogramLogReader(readFileSync(file, 'utf8'));
    for (let next = reader.nextIntervalHistogram(); next !== null; next = reader.nextIntervalHistogram())
      yield { histogram: next, second: Math.round(next.startTimeStampMsec / 1000 - reader.startTimeSec) };
  } catch (error) {
    throw usageError(`the record of latencies is damaged: ${(error as Error).message}`, file, 'repeat the run');
  }
}

function mergedCurve(dir: string, { name, perTrial, latency }: VariantRecord, kind: LatencyKind): LatencyCurve {
  const merged = newHistogram();
  for (const { trial } of perTrial)
    for (const { histogram } of intervals(dir, name, trial, kind)) merged.add(histogram);
  return curveOf(name, kind, merged, latency[kind].max);
}

function intervalsOf(dir: string, variant: string, trial: number, maxMs: number): LatencyInterval[] {
  const starts = [...intervals(dir, variant, trial, 'response')].map(({ second }) => second);
  const seconds = Math.max(1, Math.ceil(((starts.at(-1) ?? 0) + 1) / MOST_INTERVALS));
  const rows = new Map<number, ReturnType<typeof newHistogram>>();
  for (const { histogram, second } of intervals(dir, variant, trial, 'response')) {
    const row = Math.floor(second / seconds);
    const merged = rows.get(row) ?? newHistogram();
    rows.set(row, merged);
    merged.add(histogram);
  }
  return [...rows].map(([row, histogram]) => {
    const at = (percentile: number) => Math.min(maxMs, histogram.getValueAtPercentile(percentile) / 1000);
    const count = histogram.totalCount;
    return {
      fromS: row * seconds,
      toS: (row + 1) * seconds,
      count,
      p50: at(50),
      p99: at(99),
      max: Math.min(maxMs, histogram.maxValue / 1000),
    };
  });
}

function compared(record: RunRecord): ReportComparison {
  if (record.variants.length < 2) return { kind: 'alone' };
  try {
    return { kind: 'made', comparison: compareRuns(record, undefined) };
  } catch (error) {
    if (!(error instanceof PortPartyError)) throw error;
    return { kind: 'refused', why: error.message };
  }
}
