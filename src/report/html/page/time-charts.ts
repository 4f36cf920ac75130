/** The charts of one trial over time: their lines, their data, and what each says at the cursor. */
import type uPlot from 'uplot';
import type { VariantSeries } from '../page-data.js';
import type { ChartOptions, Line } from './chart.js';
import { heatAt, heatRange, paintHeat } from './heat.js';
import { duration, percent, perSecond, plain, poolShare } from './numbers.js';
import { causeColour, dashes, seriesColour } from './theme.js';

/** One chart over time. */
export interface TimeChart {
  /** Of its element: `chart-<id>`. */
  id: string;
  data: uPlot.AlignedData;
  lines: Line[];
  height: number;
  y: ChartOptions['y'];
  /** Draws on the plane. */
  paint?: (chart: uPlot) => void;
  /** What each line of the legend says in a bin; one text where there are no lines. */
  at(bin: number): string[];
}

type Values = (number | null)[];

/** All charts of a trial; the sockets are those of one node. */
export function timeCharts(series: VariantSeries, node: string | undefined): TimeChart[] {
  return [requests(series), drops(series), ports(series), states(series, node), heat(series)];
}

/** A step per bin: where each begins, s, and the end of the last one. */
export function steps({ bins, binS }: VariantSeries, lines: Values[]): uPlot.AlignedData {
  const starts = Array.from({ length: bins + 1 }, (_, bin) => Number((bin * binS).toFixed(3)));
  return [starts, ...lines.map((values) => [...values, values.at(-1) ?? null])];
}

function requests(series: VariantSeries): TimeChart {
  const rates = [series.due, series.completed].map((counts) => counts.map((count) => count / series.binS));
  return {
    id: 'requests',
    data: steps(series, rates),
    lines: ['due', 'completed'].map((label, place) => ({
      label,
      colour: seriesColour(place === 0 ? 7 : 0),
      dash: dashes(place === 0 ? 1 : 0),
      isStepped: true,
    })),
    height: 150,
    y: { format: perSecond },
    at: (bin) => rates.map((values) => perSecond(values[bin])),
  };
}

/** Stacked: the first line is all of them, the last one the most frequent cause alone. */
function drops(series: VariantSeries): TimeChart {
  const rates = series.drops.map(({ values }) => values.map((count) => count / series.binS));
  const sums = rates.map((_, place) =>
    series.due.map((_, bin) => rates.slice(0, place + 1).reduce((sum, values) => sum + values[bin], 0)),
  );
  const lines = series.drops.map(
    ({ label, cause }): Line => ({ label, colour: causeColour(cause), isFilled: true, isStepped: true }),
  );
  const none = series.drops.length === 0;
  return {
    id: 'drops',
    data: steps(series, none ? [series.due.map(() => 0)] : [...sums].reverse()),
    lines: none ? [{ label: 'nothing was lost', colour: seriesColour(7) }] : [...lines].reverse(),
    height: 130,
    y: { format: perSecond },
    at: (bin) => (none ? [''] : rates.map((values) => perSecond(values[bin])).reverse()),
  };
}

function ports(series: VariantSeries): TimeChart {
  const { pools } = series;
  const shares = pools.map(
    ({ inUse, capacity }): Values => inUse.map((value) => (value === null ? null : value / capacity)),
  );
  return {
    id: 'ports',
    data: steps(series, shares),
    lines: pools.map(({ node }, place) => ({
      label: node,
      colour: seriesColour(place),
      dash: dashes(place),
      isStepped: true,
    })),
    height: 150,
    y: { range: [0, 1.04], splits: [0, 0.25, 0.5, 0.75, 1], format: percent },
    at: (bin) =>
      pools.map(({ inUse, capacity }) => {
        const value = inUse[bin];
        return value === null ? '–' : `${plain(value)} of ${plain(capacity)} (${poolShare(value / capacity)})`;
      }),
  };
}

function states(series: VariantSeries, node: string | undefined): TimeChart {
  const own = series.states.find((one) => one.node === node)?.byState ?? [];
  return {
    id: 'states',
    data: steps(
      series,
      own.map(({ values }) => values),
    ),
    lines: own.map(({ state }, place) => ({
      label: state,
      colour: seriesColour(place),
      dash: dashes(place),
      isStepped: true,
    })),
    height: 150,
    y: { format: plain },
    at: (bin) => own.map(({ values }) => (values[bin] === null ? '–' : plain(values[bin]))),
  };
}

function heat(series: VariantSeries): TimeChart {
  return {
    id: 'heat',
    data: steps(series, [series.due.map(() => null)]),
    lines: [{ label: '', colour: seriesColour(0) }],
    height: 190,
    y: { range: heatRange(series.heat), isLog: true, format: duration },
    paint: paintHeat(series),
    at: (bin) => [heatAt(series, bin)],
  };
}
