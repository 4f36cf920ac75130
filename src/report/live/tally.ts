/** Follows the outcomes of a trial under way: what has ended, how the clients saw it fail, how long answers took. */
import { build, type Histogram } from 'hdr-histogram-js';
import { settledRows } from '../../observe/progress.js';
import { type Outcomes, RequestState } from '../../traffic/outcomes.js';
import { clientSaw } from './client-words.js';
import type { Span } from './history.js';

/** Percentiles of what was answered, ms; 0 where nothing was. */
export type Percentiles = Pick<Span, 'p50Ms' | 'p99Ms'>;

/** What has ended so far. */
export interface Tally {
  /** Looks at what has ended since the last look, with a bound on how much that is. */
  look(): void;
  /** Requests that have completed. */
  completed(): number;
  /** Requests that were dropped. */
  dropped(): number;
  /** Requests that came due and have not ended. */
  underWay(): number;
  /** What clients saw, in the order in which it was first seen, with how many saw it. */
  reasons(): ReadonlyMap<string, number>;
  /** Response latency since this was asked last. */
  sinceLast(): Percentiles;
  /** Response latency of the last one to two seconds; `nowMs` on any steady clock. */
  recent(nowMs: number): Percentiles;
}

/** So many rows at ten looks a second keep up with any engine, and take a millisecond at the very most. */
const ROWS_PER_LOOK = 1 << 16;
/** Half of the time that `recent` looks back over. */
const HALF_WINDOW_MS = 1000;
const LONGEST_US = 3_600_000_000;

/** Begins to follow. */
export function tallyOf(outcomes: Outcomes): Tally {
  const rows = settledRows(outcomes);
  const reasons = new Map<string, number>();
  const span = histogram();
  let [newer, older] = [histogram(), histogram()];
  const both = histogram();
  let turnedAt = Number.NEGATIVE_INFINITY;
  let completed = 0;
  let dropped = 0;
  let underWay = 0;

  function visit(row: number): void {
    if (outcomes.state[row] === RequestState.dropped) {
      dropped++;
      const reason = clientSaw(outcomes, row);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      return;
    }
    completed++;
    const us = Math.round((outcomes.doneNs[row] - outcomes.dueNs[row]) / 1000);
    if (!(us >= 0)) return;
    span.recordValue(Math.min(us, LONGEST_US));
    newer.recordValue(Math.min(us, LONGEST_US));
  }

  return {
    look() {
      underWay = rows(visit, ROWS_PER_LOOK);
    },
    completed: () => completed,
    dropped: () => dropped,
    underWay: () => underWay,
    reasons: () => reasons,
    sinceLast() {
      const percentiles = percentilesOf(span);
      span.reset();
      return percentiles;
    },
    recent(nowMs) {
      both.reset();
      both.add(older);
      both.add(newer);
      if (nowMs - turnedAt >= HALF_WINDOW_MS) {
        [newer, older] = [older, newer];
        newer.reset();
        turnedAt = nowMs;
      }
      return percentilesOf(both);
    },
  };
}

/** Two digits are enough to look at, and small enough to be added up ten times a second. */
function histogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: LONGEST_US,
    numberOfSignificantValueDigits: 2,
    autoResize: false,
    useWebAssembly: false,
  });
}

function percentilesOf(values: Histogram): Percentiles {
  if (values.totalCount === 0) return { p50Ms: 0, p99Ms: 0 };
  return { p50Ms: values.getValueAtPercentile(50) / 1000, p99Ms: values.getValueAtPercentile(99) / 1000 };
}
