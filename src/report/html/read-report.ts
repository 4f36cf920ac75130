/** Reads a run's folder into what its report shows. Requests go by one at a time; what is kept of them is bounded. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HistogramLogReader } from 'hdr-histogram-js';
import { compareRuns } from '../../analysis/comparison/compare.js';
import { type StoryInput, tellStory } from '../../analysis/story.js';
import { PortPartyError, usageError } from '../../errors.js';
import { type FoundRequest, withKept } from '../../record/find-request.js';
import { LATENCY_KINDS, type LatencyKind, newHistogram } from '../../record/latency.js';
import { findRun, readRun } from '../../record/read-record.js';
import type { RequestRow } from '../../record/read-requests.js';
import { readStories, type StorySource, type StorySources } from '../../record/read-stories.js';
import { trialName } from '../../record/run-files.js';
import type { RunRecord, VariantRecord } from '../../record/run-record.js';
import { renderRequest } from '../explain/way-text.js';
import { newExamples } from './examples.js';
import { curveOf } from './latency-curves.js';
import type { LatencyCurve, VariantSeries } from './page-data.js';
import type { Example, LatencyInterval, ReportComparison, ReportData, ToldTrial } from './report-data.js';
import { lossLabel, newSeries, type SeriesSample, type SeriesSurroundings } from './trial-series.js';

/** Variants that are told in full. */
const MOST_TOLD = 24;
/** Bins of all time series together, and those of one at least and at most. */
const BINS = 12_000;
const BINS_OF_ONE: [number, number] = [120, 1000];
/** Single requests that are shown of all variants together; and of a variant at least and at most. */
const EXAMPLES = 144;
const EXAMPLES_OF_ONE: [number, number] = [6, 24];
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
  const { trials, missing } = sourcesOf(dir, record);
  const chosen = mostLost(trials);
  const shown = withMostLost(chosen, MOST_TOLD);
  const told = shown.map((source) => tell(dir, source, countOf(record, trials, source.variant), shown.length));
  return {
    record,
    missing,
    told: withExamples(dir, told),
    untold: chosen.filter((source) => !shown.includes(source)).map(({ variant }) => variant),
    curves: curvesOf(dir, record.variants.slice(0, MOST_CURVES)),
    comparison: compared(record),
  };
}

/** What of a run is laid over other runs. */
export interface RunCourse {
  /** What the record lacks, in sentences. */
  missing: string[];
  /** Over time, one trial of each variant, that which lost the most. */
  told: { variant: string; trial: number; series: VariantSeries }[];
  /** Both latencies of each variant over all its trials. */
  curves: LatencyCurve[];
}

/**
 * The part of a run's report that the page of several runs shows, of these variants: no stories, and nothing of single requests.
 * @throws PortPartyError (exit 2) when its record is damaged
 */
export function readCourse(dir: string, record: RunRecord, variants: readonly string[]): RunCourse {
  const { trials, missing } = sourcesOf(dir, record);
  const shown = mostLost(trials.filter(({ variant }) => variants.includes(variant)));
  return {
    missing,
    told: shown.map((source) => {
      const { variant, trialNumber: trial } = source;
      const gathered = newSeries();
      for (const row of source.requests) gathered.add(row);
      return { variant, trial, series: gathered.finish(surroundingsOf(source.read(), shown.length)).series };
    }),
    curves: curvesOf(
      dir,
      record.variants.filter(({ name }) => variants.includes(name)),
    ),
  };
}

function sourcesOf(dir: string, record: RunRecord): StorySources {
  if (existsSync(join(dir, 'requests.bin'))) return readStories(dir, record, {});
  return { trials: [], missing: ['The record has no requests.bin: nothing is told of single requests or of time.'] };
}

/** Of each variant the trial that lost the most, the first of equals. */
function mostLost(trials: StorySource[]): StorySource[] {
  const most = new Map<string, StorySource>();
  for (const source of trials) {
    const known = most.get(source.variant);
    if (known === undefined || lossOf(source) > lossOf(known)) most.set(source.variant, source);
  }
  return [...most.values()];
}

const lossOf = ({ trial }: StorySource) => trial?.requests.dropped ?? -1;

/** So many with the greatest losses, in their own order. */
function withMostLost(sources: StorySource[], most: number): StorySource[] {
  const kept = new Set(sources.toSorted((a, b) => lossOf(b) - lossOf(a)).slice(0, most));
  return sources.filter((source) => kept.has(source));
}

function countOf(record: RunRecord, trials: StorySource[], variant: string): number {
  return (
    record.variants.find(({ name }) => name === variant)?.trials ??
    trials.filter((source) => source.variant === variant).length
  );
}

/** One trial's part of what so many share. */
const shareOf = (all: number, sharers: number, [fewest, most]: [number, number]) =>
  Math.max(fewest, Math.min(most, Math.floor(all / Math.max(1, sharers))));

function surroundingsOf(
  { variant, trialNumber, trial, samples, events }: StoryInput,
  sharers: number,
): SeriesSurroundings {
  return {
    variant,
    trial: trialNumber,
    record: trial,
    // A sample holds more than a story needs.
    samples: samples as unknown as SeriesSample[],
    events,
    mostBins: shareOf(BINS, sharers, BINS_OF_ONE),
  };
}

/** A told trial whose examples are still to be looked up. */
type HalfTold = Omit<ToldTrial, 'examples'> & { rows: RequestRow[] };

function tell(dir: string, source: StorySource, trials: number, sharers: number): HalfTold {
  const gathered = newSeries();
  const examples = newExamples();
  function* passing(): Generator<RequestRow, void, undefined> {
    for (const row of source.requests) {
      gathered.add(row);
      examples.add(row);
      yield row;
    }
  }
  const input = source.read();
  const story = tellStory({ ...input, requests: passing() });
  const { variant, trialNumber: trial, trial: record, chain } = source;
  return {
    variant,
    trial,
    trials,
    story,
    ...(chain !== undefined && { chain: { nodes: chain.nodes, traffic: chain.traffic } }),
    ...gathered.finish(surroundingsOf(input, sharers)),
    latencyTable: intervalsOf(dir, variant, trial, record?.latency.response.max ?? Number.POSITIVE_INFINITY),
    rows: examples.take(shareOf(EXAMPLES, sharers, EXAMPLES_OF_ONE)),
  };
}

/** Looks all of them up at once: each file of the record may be large. */
function withExamples(dir: string, told: HalfTold[]): ToldTrial[] {
  const rows = told.flatMap((one) => one.rows);
  const examples = new Map(withKept(dir, rows).map((found, index) => [rows[index], exampleOf(found)]));
  return told.map(({ rows: own, ...rest }) => ({ ...rest, examples: own.map((row) => examples.get(row)!) }));
}

function exampleOf(found: FoundRequest): Example {
  const { id, state, step, client, dueMs } = found.request;
  return {
    id,
    place: lossLabel(found.request),
    state: state === 'dropped' ? 'dropped' : 'completed',
    step,
    client,
    dueMs,
    story: renderRequest(found, { color: false, width: STORY_WIDTH }),
  };
}

const curvesOf = (dir: string, variants: VariantRecord[]): LatencyCurve[] =>
  variants.flatMap((variant) => LATENCY_KINDS.map((kind) => mergedCurve(dir, variant, kind)));

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
