/** What the script of the page of several runs draws from. Plain types, for both sides of the page. */
import type { LatencyCurve } from '../page-data.js';

/** A latency of a variant in one of the runs. */
export interface RunCurve extends LatencyCurve {
  /** Place of the run. */
  run: number;
  /** Place of the variant among those that are drawn. */
  place: number;
}

/** One variant over time, in each run that has it: of the trial that lost the most. */
export interface Overlay {
  variant: string;
  /** The node whose pool was the fullest in any of the runs; absent where none was measured. */
  pool?: string;
  lines: OverlayLine[];
}

/** One run's part of an overlay; lists have one value per bin. */
export interface OverlayLine {
  run: number;
  trial: number;
  /** Width of a bin, s. */
  binS: number;
  /** Requests planned, and lost, per bin. */
  due: number[];
  lost: number[];
  /** The highest share of the pool that was in use, 0 to 1; null where no sample was taken. Empty where this run has no such pool. */
  share: (number | null)[];
}

/** All that the script draws from. */
export interface ComparisonPageData {
  /** Of the runs. */
  letters: string[];
  overlays: Overlay[];
  curves: RunCurve[];
}
