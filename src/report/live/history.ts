/** A trial's course in equal spans of time: as many as a screen can show, however long it lasts. */

/** What happened in one span: how many requests came due and ended, and per cent of the answers in it, ms (0: none). */
export interface Span {
  due: number;
  completed: number;
  dropped: number;
  /** Most requests that were under way at its end. */
  underWay: number;
  p50Ms: number;
  p99Ms: number;
}

/** Counts since the trial's start. */
export type Totals = Pick<Span, 'due' | 'completed' | 'dropped'>;

/** Spans that have ended. */
export interface History {
  spans: Span[];
  /** How long each of them is, ms. */
  spanMs: number;
}

/** Adds to a history. */
export interface HistoryWriter extends Readonly<History> {
  /** Totals at `timeMs` since the start. `latency` is asked once for each look that ends a span: what was answered since it was asked last. */
  add(timeMs: number, totals: Totals, latency: () => Pick<Span, 'p50Ms' | 'p99Ms'>): void;
}

/** Short enough for a burst, long enough for a crowd that comes by chance to look even. */
const FIRST_SPAN_MS = 200;
/** More than a terminal has columns. */
const MOST_SPANS = 1024;

/** Begins an empty one. */
export function startHistory(): HistoryWriter {
  let before: Totals = { due: 0, completed: 0, dropped: 0 };
  const history = {
    spans: [] as Span[],
    spanMs: FIRST_SPAN_MS,
    add(timeMs: number, totals: Totals, latency: () => Pick<Span, 'p50Ms' | 'p99Ms'>) {
      const ended = Math.min(MOST_SPANS, Math.floor(timeMs / history.spanMs) - history.spans.length);
      if (ended < 1) return;
      // A look that comes late has seen several spans at once.
      const part = (key: keyof Totals) => Math.max(0, totals[key] - before[key]) / ended;
      const span: Span = {
        ...{ due: part('due'), completed: part('completed'), dropped: part('dropped') },
        underWay: Math.max(0, totals.due - totals.completed - totals.dropped),
        ...latency(),
      };
      before = totals;
      for (let index = 0; index < ended; index++) history.spans.push({ ...span });
      while (history.spans.length >= MOST_SPANS) {
        history.spans = inPairs(history.spans);
        history.spanMs *= 2;
      }
    },
  };
  return history;
}

function inPairs(spans: Span[]): Span[] {
  return Array.from({ length: Math.floor(spans.length / 2) }, (_, index) => {
    const pair = { ...spans[2 * index] };
    join(pair, spans[2 * index + 1]);
    return pair;
  });
}

/** Adds the counts of another span to those of `sum`, and keeps the higher one of the rest. */
function join(sum: Span, other: Span): void {
  sum.due += other.due;
  sum.completed += other.completed;
  sum.dropped += other.dropped;
  sum.underWay = Math.max(sum.underWay, other.underWay);
  sum.p50Ms = Math.max(sum.p50Ms, other.p50Ms);
  sum.p99Ms = Math.max(sum.p99Ms, other.p99Ms);
}

/** Per second over the last second or so: steadier than a single span. */
export function recentRates({ spans, spanMs }: History): Totals {
  const last = spans.slice(-Math.max(1, Math.round(1000 / spanMs)));
  const rate = (key: keyof Totals) =>
    last.length === 0 ? 0 : last.reduce((sum, span) => sum + span[key], 0) / ((last.length * spanMs) / 1000);
  return { due: rate('due'), completed: rate('completed'), dropped: rate('dropped') };
}

/**
 * The history as one span per cell of a line that is `horizonMs` long: the mean of the counts, the highest of the rest. Cells that no
 * ended span reaches are left out.
 */
export function inCells({ spans, spanMs }: History, horizonMs: number, cells: number): Span[] {
  const perCell = horizonMs / cells / spanMs;
  const line: Span[] = [];
  for (let cell = 0; cell < cells; cell++) {
    const from = Math.floor(cell * perCell);
    const to = Math.min(spans.length, Math.max(from + 1, Math.floor((cell + 1) * perCell)));
    if (from >= to) break;
    const sum = { ...spans[from] };
    for (let index = from + 1; index < to; index++) join(sum, spans[index]);
    sum.due /= to - from;
    sum.completed /= to - from;
    sum.dropped /= to - from;
    line.push(sum);
  }
  return line;
}

/** The time that a line stands for: what is planned and a fifth for the last answers, and half as much again whenever that is over. */
export function horizonOf(passedMs: number, plannedMs: number): number {
  let horizonMs = plannedMs > 0 ? Math.max(1000, plannedMs * 1.2) : 10_000;
  while (horizonMs < passedMs) horizonMs *= 1.5;
  return horizonMs;
}
