/** The rows on the course of a trial: arrivals against completions, what is under way, drops as the clients saw them, latency. */
import { count, ms, plural } from '../format.js';
import { type Graphs, graphsOf } from './graphs.js';
import { type LiveGrid, type LiveRow, rowLine } from './grid.js';
import { horizonOf } from './history.js';
import type { LiveTrial } from './state.js';
import { cutTo, type LiveStyle, oneColumnEach } from './style.js';

/** A line, and how early it is left out where rows are few: 0 is the last to go. */
export interface RankedLine {
  text: string;
  rank: number;
}

/** Reasons take so many lines at most; the rarest are summed up in the last one. */
const MOST_REASONS = 4;

/** The rows, from the arrivals to the latency. */
export function courseLines(trial: LiveTrial, grid: LiveGrid, style: LiveStyle): RankedLine[] {
  const { totals, rates, history, passedMs, plannedMs, latency } = trial;
  const { colors } = style;
  const graphs = graphsOf(history, horizonOf(passedMs, plannedMs), grid.cells, style);
  const underWay = Math.max(0, totals.due - totals.completed - totals.dropped);
  const share = totals.due === 0 ? 0 : totals.dropped / totals.due;
  const red = totals.dropped > 0 ? colors.red : (text: string) => text;
  const row = (rank: number, parts: LiveRow) => ({ text: rowLine(parts, grid, style), rank });

  return [
    row(3, {
      label: 'due',
      graph: graphs.due,
      value: count(totals.due),
      note: rate(rates.due, grid),
    }),
    row(2, {
      label: 'completed',
      graph: graphs.completed,
      value: count(totals.completed),
      note: rate(rates.completed, grid),
    }),
    row(7, {
      label: 'under way',
      graph: graphs.underWay,
      value: count(underWay),
    }),
    row(0, {
      label: 'dropped',
      graph: graphs.dropped,
      value: red(count(totals.dropped)),
      note: totals.dropped > 0 ? rate(rates.dropped, grid) : '',
      remark: totals.dropped > 0 ? `${(share * 100).toFixed(1)}% of what was due` : '',
    }),
    ...reasonLines(trial, grid, style),
    ...latencyLines(graphs, latency, grid, style),
  ];
}

function rate(perSecond: number, { note }: LiveGrid): string {
  const text = count(perSecond);
  // At 40 columns 12,345 a second are 12k.
  return note < 10 && text.length > 4 ? `${Math.round(perSecond / 1000)}k/s` : `${text}/s`;
}

function reasonLines({ reasons, pools }: LiveTrial, grid: LiveGrid, { colors, glyphs }: LiveStyle): RankedLine[] {
  if (reasons.length === 0) return [];
  const named = reasons.length > MOST_REASONS ? mostFrequent(reasons, MOST_REASONS - 1) : reasons;
  const rest = reasons.filter((reason) => !named.includes(reason));
  const lines = named.map(({ text, count: seen }) => ({ text, seen }));
  if (rest.length > 0)
    lines.push({
      text: plural(rest.length, 'other way', 'other ways'),
      seen: rest.reduce((sum, one) => sum + one.count, 0),
    });
  const indent = ' '.repeat(grid.indent + 2);
  const room = grid.label + 1 + grid.cells - 2;
  // What the clients saw is one thing, what the pools say another, and that one comes from the other is not known yet.
  const full = pools.filter(({ peak, capacity }) => peak >= capacity).map(({ node }) => node);
  const beside = full.length === 0 ? '' : `without a free port at times: ${full.join(', ')}`;
  return [
    ...lines.map(({ text, seen }) => ({
      text: `${indent}${cutTo(oneColumnEach(text, glyphs), room, glyphs).padEnd(room)}${count(seen).padStart(grid.value)}`,
      rank: 5,
    })),
    {
      text:
        indent +
        colors.dim(
          cutTo(
            [...(beside === '' ? [] : [beside]), 'causes: after the trial'].join(` ${glyphs.dot} `),
            grid.width - indent.length,
            glyphs,
          ),
        ),
      rank: 7.5,
    },
  ];
}

/** Those, in the order in which they were. */
function mostFrequent(reasons: LiveTrial['reasons'], most: number): LiveTrial['reasons'] {
  const chosen = [...reasons].sort((a, b) => b.count - a.count).slice(0, most);
  return reasons.filter((reason) => chosen.includes(reason));
}

function latencyLines(
  graphs: Graphs,
  { p50Ms, p99Ms }: LiveTrial['latency'],
  grid: LiveGrid,
  style: LiveStyle,
): RankedLine[] {
  const short = grid.label < 12;
  const row = (name: 'p50' | 'p99', now: number, remark: string, rank: number) => ({
    text: rowLine(
      {
        label: short ? name : `response ${name}`,
        graph: graphs[name],
        value: now > 0 ? `${ms(now)} ms` : style.glyphs.none,
        remark,
      },
      grid,
      style,
    ),
    rank,
  });
  const highest = graphs.highestMs > 0 ? `highest ${ms(graphs.highestMs)} ms, log scale` : '';
  return [row('p50', p50Ms, '', 7.2), row('p99', p99Ms, highest, 6)];
}
