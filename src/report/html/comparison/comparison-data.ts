/** All that the page of several runs shows, as one plain value of bounded size: what `portparty report A B --json` prints. */
import type { Comparison } from '../../../analysis/comparison/comparison.js';
import type { RunRecord } from '../../../record/run-record.js';
import type { Overlay, RunCurve } from './overlay-data.js';

/** Several runs, ready to be shown beside each other. */
export interface ComparisonData {
  /** As they were given; the first one is what the others are held against. */
  runs: ComparedRun[];
  /** Names of variants that are shown, each in one run at least, in the order in which they first appear. */
  variants: string[];
  /** Variants that are left out, as there are too many. */
  left: string[];
  /** Each run but the first against the first one. */
  against: AgainstFirst[];
  /** Over time: the variants that lost the most. */
  overlays: Overlay[];
  /** Both latencies, by letter of the run and name of the variant: `A held`. */
  curves: RunCurve[];
}

/** One of the runs. */
export interface ComparedRun {
  /** What it is called on the page: `A`. */
  letter: string;
  /** Its folder. */
  dir: string;
  record: RunRecord;
  /** What its record lacks, in sentences. */
  missing: string[];
  /** Of each variant the settings by their path, as text, times in ms; none in records of older versions. */
  settings: Record<string, Record<string, string>>;
}

/** A run against the first one. */
export type AgainstFirst = { letter: string } & (
  | { kind: 'made'; comparison: Comparison }
  /** Why nothing can be said, in a sentence. */
  | { kind: 'refused'; why: string }
);
