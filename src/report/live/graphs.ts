/** The graphs of a trial's course: drawn again only when a span has ended, for in between nothing changes in them. */
import { logScaled, sparkline } from './bars.js';
import { type History, inCells, type Span } from './history.js';
import type { LiveStyle } from './style.js';

/** Sparklines, painted, each as wide as the cells. */
export interface Graphs {
  /** These three have one scale: a gap between the first two is a gap. */
  due: string;
  completed: string;
  dropped: string;
  underWay: string;
  /** Of the response latency, on a logarithmic scale up to `highestMs`. */
  p50: string;
  p99: string;
  highestMs: number;
}

const drawn = new WeakMap<History, { key: string; graphs: Graphs }>();

/** The graphs on a time axis that is `horizonMs` long. */
export function graphsOf(history: History, horizonMs: number, cells: number, style: LiveStyle): Graphs {
  const key = [history.spans.length, history.spanMs, horizonMs, cells].join();
  const before = drawn.get(history);
  if (before?.key === key) return before.graphs;
  const graphs = draw(inCells(history, horizonMs, cells), cells, style);
  drawn.set(history, { key, graphs });
  return graphs;
}

function draw(spans: Span[], cells: number, style: LiveStyle): Graphs {
  const { colors } = style;
  const values = (key: keyof Span) => spans.map((span) => span[key]);
  const highest = (...keys: (keyof Span)[]) => Math.max(0, ...keys.flatMap(values));
  const line = (key: keyof Span, most: number) => sparkline(values(key), most, cells, style);
  const perSpan = highest('due', 'completed', 'dropped');
  const highestMs = highest('p99Ms');
  const latency = (key: keyof Span) => sparkline(logScaled(values(key), highestMs), 1, cells, style);
  return {
    due: colors.cyan(line('due', perSpan)),
    completed: colors.green(line('completed', perSpan)),
    dropped: colors.red(line('dropped', perSpan)),
    underWay: colors.dim(line('underWay', highest('underWay'))),
    p50: colors.magenta(latency('p50Ms')),
    p99: colors.magenta(latency('p99Ms')),
    highestMs,
  };
}
