/** All that a report of a run shows, as one plain value of bounded size: what `portparty report --json` prints. */
import type { Comparison } from '../../analysis/comparison/comparison.js';
import type { Story } from '../../analysis/story.js';
import type { ChainRecord } from '../../record/chain-record.js';
import type { RunRecord } from '../../record/run-record.js';
import type { LatencyCurve, VariantSeries } from './page-data.js';

/** A run, ready to be shown. */
export interface ReportData {
  /** The record itself, `run.json`. */
  record: RunRecord;
  /** What the record lacks, in sentences. */
  missing: string[];
  /** One trial of each variant, that which lost the most, in the record's order. Of many variants those that lost the most. */
  told: ToldTrial[];
  /** Variants whose time series and story are left out, as there are too many. */
  untold: string[];
  /** Both latencies of each variant over all its trials; of more than 100 variants those of the first 100. */
  curves: LatencyCurve[];
  comparison: ReportComparison;
}

/** The variants against the first one. */
export type ReportComparison =
  | { kind: 'made'; comparison: Comparison }
  /** Why it cannot be made, in a sentence. */
  | { kind: 'refused'; why: string }
  | { kind: 'alone' };

/** What is told of one trial. */
export interface ToldTrial {
  variant: string;
  trial: number;
  /** Trials of the variant that the record has. */
  trials: number;
  story: Story;
  /** Absent in records of older versions. */
  chain?: ChainRecord;
  series: VariantSeries;
  /** Pools and hosts that had anything to show and that the series leaves out, as there are too many. */
  leftOut: { pools: number; hosts: number };
  /** Response latencies by intervals of whole seconds, ms. */
  latencyTable: LatencyInterval[];
  /** Up to three of each cause; of many causes those that struck the most requests. */
  examples: Example[];
}

/** Responses that arrived within one interval; s and ms. */
export interface LatencyInterval {
  fromS: number;
  toS: number;
  count: number;
  p50: number;
  p99: number;
  max: number;
}

/** A single request, by way of example. */
export interface Example {
  id: string;
  /** `ports-exhausted@edge`, with what it follows from. */
  place: string;
  state: 'dropped' | 'completed';
  step: string;
  client: string;
  dueMs: number;
  /** Its way hop by hop, as `portparty explain --request` tells it: lines of plain text. */
  story: string;
}
