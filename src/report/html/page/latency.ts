/** Percentile curves and histograms of all variants, overlaid; each can be taken away. */
import uPlot from 'uplot';
import { type LatencyCurve, type PageData, PER_DECADE } from '../page-data.js';
import { drawChart, drawLegend, type Line, removeChart } from './chart.js';
import { duration, percent } from './numbers.js';
import { dashes, seriesColour } from './theme.js';

/** Variants that are shown at first: more lines than this nobody can tell apart. */
const FIRST_SHOWN = 8;

/** How the line of a variant looks. */
type LineStyle = Pick<Line, 'colour' | 'dash'>;

/** Draws both charts, and again whenever another latency or other variants are wanted. */
export function latencyCharts(
  { curves }: Pick<PageData, 'curves'>,
  styleOf: (variant: string, place: number) => LineStyle = (_, place) => ({
    colour: seriesColour(place),
    dash: dashes(place),
  }),
): void {
  const section = document.getElementById('latency-charts');
  if (section === null || curves.every(({ count }) => count === 0)) return;
  section.hidden = false;
  const names = [...new Set(curves.map(({ variant }) => variant))];
  const shown = new Set(names.slice(0, FIRST_SHOWN));
  const lines = names.map((label, place): Line => ({ label, ...styleOf(label, place), hasPoints: false }));
  const kinds = [...section.querySelectorAll<HTMLInputElement>('input[name="shown-latency"]')];
  let drawn: uPlot[] = [];

  function draw(): void {
    for (const chart of drawn) removeChart(chart);
    const kind = kinds.find(({ checked }) => checked)?.value;
    const own = curves.filter((curve) => curve.kind === kind && curve.count > 0 && shown.has(curve.variant));
    drawn = own.length === 0 ? [] : [percentiles(own), histograms(own)];
  }

  const lineOf = ({ variant }: LatencyCurve) => lines[names.indexOf(variant)];

  function percentiles(own: LatencyCurve[]): uPlot {
    const most = Math.max(...own.map(({ count }) => count), 100);
    const splits = Array.from({ length: Math.ceil(Math.log10(most)) + 1 }, (_, decade) => 10 ** decade);
    return drawChart(document.getElementById('chart-percentiles')!, joined(own.map((curve) => curve.percentiles)), {
      height: 260,
      lines: own.map((curve) => ({ ...lineOf(curve), hasPoints: true })),
      x: {
        range: [1, most],
        isLog: true,
        splits,
        format: (oneOf) => (oneOf === 1 ? '0%' : `${Number((100 - 100 / oneOf).toPrecision(8))}%`),
      },
      y: {
        range: decades(own.flatMap((curve) => curve.percentiles.map(([, ms]) => ms))),
        isLog: true,
        format: duration,
      },
    });
  }

  function histograms(own: LatencyCurve[]): uPlot {
    const all = own.flatMap(({ histogram }) => histogram);
    const floor = decades(all.map(([, share]) => share))[0];
    return drawChart(document.getElementById('chart-histogram')!, histogramData(own, floor), {
      height: 260,
      lines: own.map((curve) => ({ ...lineOf(curve), isStepped: true })),
      x: { range: decades(all.map(([ms]) => ms)), isLog: true, format: duration },
      y: { range: decades(all.map(([, share]) => share)), isLog: true, format: percent },
    });
  }

  drawLegend(document.getElementById('latency-legend')!, lines, (line) => {
    const box = document.createElement('input');
    box.type = 'checkbox';
    box.checked = shown.has(names[line]);
    box.addEventListener('change', () => {
      if (box.checked) shown.add(names[line]);
      else shown.delete(names[line]);
      draw();
    });
    return box;
  });
  for (const kind of kinds) kind.addEventListener('change', draw);
  draw();
}

function joined(points: [number, number][][]): uPlot.AlignedData {
  return uPlot.join(points.map((own): uPlot.AlignedData => [own.map(([x]) => x), own.map(([, y]) => y)]));
}

/** Every bucket between the first and the last one; an empty one lies on the floor, as a log axis has no zero. */
function histogramData(own: LatencyCurve[], floor: number): uPlot.AlignedData {
  const place = (ms: number) => Math.round(Math.log10(ms) * PER_DECADE);
  const places = own.flatMap(({ histogram }) => histogram.map(([ms]) => place(ms)));
  const [first, last] = [Math.min(...places), Math.max(...places)];
  const buckets = Array.from({ length: last - first + 2 }, (_, index) => first + index);
  const shares = own.map(({ histogram }) => {
    const known = new Map(histogram.map(([ms, share]) => [place(ms), share]));
    return buckets.map((bucket) => known.get(bucket) ?? floor);
  });
  return [buckets.map((bucket) => 10 ** (bucket / PER_DECADE)), ...shares];
}

/** Whole decades around these values. */
function decades(values: number[]): [number, number] {
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0) return [0.1, 10];
  const [low, high] = [
    Math.floor(Math.log10(Math.min(...positive))),
    Math.ceil(Math.log10(Math.max(...positive)) + 1e-9),
  ];
  return [10 ** low, 10 ** Math.max(high, low + 1)];
}
