/** A chart in the page's style: uPlot with our axes, colours that follow the theme, a legend in HTML, and the width of its place. */
import uPlot from 'uplot';
import { colour, onThemeChange } from './theme.js';

/** One line of a chart. */
export interface Line {
  label: string;
  /** Custom property of its colour. */
  colour: string;
  dash?: number[];
  /** Filled down to the axis. */
  isFilled?: boolean;
  isStepped?: boolean;
  hasPoints?: boolean;
}

/** How a chart is drawn. */
export interface ChartOptions {
  height: number;
  lines: Line[];
  x: { range: [number, number]; isLog?: boolean; splits?: number[]; format(value: number): string };
  y: {
    range?: [number, number];
    isLog?: boolean;
    splits?: number[];
    format(value: number): string;
    isHidden?: boolean;
  };
  hooks?: uPlot.Hooks.Arrays;
  cursor?: uPlot.Cursor;
}

const FONT = '12px system-ui, sans-serif';
/** All that are on the page, each with what watches the width of its place. */
const all = new Map<uPlot, ResizeObserver>();
let isFollowing = false;

/** Draws a chart into an element, whose width it keeps to. */
export function drawChart(place: HTMLElement, data: uPlot.AlignedData, options: ChartOptions): uPlot {
  follow();
  const { x, y, lines, hooks, cursor, height } = options;
  const chart = new uPlot(
    {
      width: Math.max(160, place.clientWidth),
      height,
      legend: { show: false },
      padding: [8, 24, y.isHidden ? 4 : 0, 0],
      scales: {
        x: {
          time: false,
          distr: x.isLog ? 3 : 1,
          range: x.isLog ? () => x.range : undefined,
          ...(!x.isLog && { min: x.range[0], max: x.range[1], auto: false }),
        },
        y: {
          distr: y.isLog ? 3 : 1,
          ...(y.range !== undefined
            ? { range: () => y.range! }
            : !y.isLog && {
                range: (_: uPlot, __: number, most: number) => [0, Math.max(1, most * 1.1)] as [number, number],
              }),
        },
      },
      axes: [axis({ ...x, size: 30, isHidden: y.isHidden }), axis({ ...y, size: 58 })],
      series: [{}, ...lines.map(seriesOf)],
      cursor: { y: false, points: { show: false }, ...cursor },
      hooks: hooks ?? {},
    },
    data,
    place,
  );
  const watch = new ResizeObserver(() => {
    const width = Math.max(160, place.clientWidth);
    if (width !== chart.width) chart.setSize({ width, height });
  });
  watch.observe(place);
  all.set(chart, watch);
  return chart;
}

/** Takes a chart off the page. */
export function removeChart(chart: uPlot): void {
  all.get(chart)?.disconnect();
  all.delete(chart);
  chart.destroy();
}

function follow(): void {
  if (isFollowing) return;
  isFollowing = true;
  onThemeChange(() => {
    for (const chart of all.keys()) chart.redraw();
  });
}

function axis(of: { format(value: number): string; splits?: number[]; size: number; isHidden?: boolean }): uPlot.Axis {
  const { format, splits, size, isHidden } = of;
  return {
    show: !isHidden,
    size,
    font: FONT,
    stroke: () => colour('--muted'),
    grid: { stroke: () => colour('--grid'), width: 1 },
    ticks: { show: false },
    gap: 6,
    values: (_, values) => values.map((value) => (value === null ? '' : format(value))),
    ...(splits !== undefined && { splits: () => splits, filter: (_: uPlot, values: number[]) => values }),
  };
}

function seriesOf({ label, colour: name, dash, isFilled, isStepped, hasPoints }: Line): uPlot.Series {
  return {
    label,
    stroke: () => colour(name),
    width: isFilled ? 1 : 2,
    dash,
    ...(isFilled && { fill: () => colour(name) }),
    ...(isStepped && { paths: uPlot.paths.stepped!({ align: 1 }) }),
    points: { show: hasPoints === true, size: 4, fill: () => colour(name) },
    spanGaps: hasPoints === true,
  };
}

/** An entry of a legend: what the line looks like, its name, and room for its value at the cursor. */
export interface LegendEntry {
  setValue(text: string): void;
}

/** Fills a legend anew. */
export function drawLegend(list: Element, lines: Line[], control?: (line: number) => HTMLInputElement): LegendEntry[] {
  list.replaceChildren();
  return lines.map((line, index) => {
    const item = document.createElement('li');
    const value = document.createElement('b');
    const name = document.createElement(control === undefined ? 'span' : 'label');
    if (control !== undefined) name.append(control(index), ' ');
    name.append(line.label);
    if (line.label !== '') item.append(sample(line), name, ' ');
    item.append(value);
    list.append(item);
    return {
      setValue(text) {
        value.textContent = text;
      },
    };
  });
}

function sample({ colour: name, dash, isFilled }: Line): SVGElement {
  const make = (tag: string, attributes: Record<string, string>) => {
    const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const picture = make('svg', { width: '26', height: '12', 'aria-hidden': 'true' });
  const shape = isFilled
    ? make('rect', { x: '6', y: '0', width: '12', height: '12', rx: '2', fill: `var(${name})` })
    : make('path', {
        d: 'M0 6H26',
        'stroke-width': '2.5',
        stroke: `var(${name})`,
        'stroke-dasharray': (dash ?? []).join(' '),
      });
  picture.append(shape);
  return picture;
}
