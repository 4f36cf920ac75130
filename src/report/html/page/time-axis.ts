/** One time axis for all charts of a trial: a brush and sliders that zoom, a cursor that reads every chart and the picture of the chain. */
import type uPlot from 'uplot';
import type { PageData, VariantSeries } from '../page-data.js';
import { drawChart, drawLegend, type LegendEntry, removeChart } from './chart.js';
import { seconds } from './numbers.js';
import { showPools } from './pools.js';
import { colour, seriesColour } from './theme.js';
import { steps, type TimeChart, timeCharts } from './time-charts.js';

const byId = <Element extends HTMLElement>(id: string) => document.getElementById(id) as Element;

/** Shows another variant. */
export interface TimeAxis {
  show(variant: string): void;
}

interface Drawn {
  chart: TimeChart;
  plot: uPlot;
  legend: LegendEntry[];
}

/** Sets up the section; undefined where the page has none. */
export function timeAxis(data: PageData): TimeAxis | undefined {
  const section = document.getElementById('charts');
  if (section === null || data.variants.length === 0) return undefined;
  section.hidden = false;
  const [from, to, cursor] = ['zoom-from', 'zoom-to', 'cursor'].map((id) => byId<HTMLInputElement>(id));
  const [fromOut, toOut, cursorOut] = ['zoom-from-out', 'zoom-to-out', 'cursor-out'].map((id) => byId(id));
  const node = byId<HTMLSelectElement>('states-node');
  let series: VariantSeries = data.variants[0];
  let drawn: Drawn[] = [];
  let overview: uPlot | undefined;
  let isMoving = false;

  const endS = () => series.bins * series.binS;

  function zoom(fromS: number, toS: number): void {
    const least = Math.min(endS(), series.binS * 2);
    const low = Math.max(0, Math.min(fromS, endS() - least));
    const high = Math.min(endS(), Math.max(toS, low + least));
    for (const { plot } of drawn) plot.setScale('x', { min: low, max: high });
    [from.value, to.value] = [String(low), String(high)];
    fromOut.textContent = seconds(low);
    toOut.textContent = seconds(high);
    from.setAttribute('aria-valuetext', seconds(low));
    to.setAttribute('aria-valuetext', seconds(high));
    const isAll = low <= 0 && high >= endS();
    if (overview === undefined) return;
    const left = overview.valToPos(low, 'x');
    const width = isAll ? 0 : overview.valToPos(high, 'x') - left;
    overview.setSelect({ left, width, top: 0, height: overview.over.clientHeight }, false);
  }

  function zoomOut(): null {
    zoom(0, endS());
    return null;
  }

  /** undefined takes the cursor away. */
  function read(atS: number | undefined, source?: uPlot): void {
    if (isMoving) return;
    isMoving = true;
    const bin =
      atS === undefined ? undefined : Math.min(series.bins - 1, Math.max(0, Math.floor(atS / series.binS + 1e-9)));
    for (const { plot } of drawn) {
      if (plot === source) continue;
      plot.setCursor(
        { left: atS === undefined ? -10 : plot.valToPos(atS, 'x'), top: atS === undefined ? -10 : 0 },
        false,
      );
    }
    const said = drawn.flatMap(({ chart, legend }) => {
      const texts = bin === undefined ? [] : chart.at(bin);
      legend.forEach((entry, index) => {
        entry.setValue(texts[index] ?? '');
      });
      return chart.id === 'heat'
        ? [`responses: ${texts[0]}`]
        : chart.lines.map(({ label }, index) => `${label} ${texts[index]}`);
    });
    cursorOut.textContent = bin === undefined ? '' : seconds(bin * series.binS);
    if (bin === undefined) cursor.removeAttribute('aria-valuetext');
    else {
      if (source !== undefined) cursor.value = String(bin * series.binS);
      cursor.setAttribute('aria-valuetext', `${seconds(bin * series.binS)}: ${said.join('; ')}`);
    }
    showPools(series, bin);
    isMoving = false;
  }

  function draw(): void {
    for (const { plot } of drawn) removeChart(plot);
    drawn = timeCharts(series, node.value || undefined).map((chart) => {
      const figure = byId(`chart-${chart.id}`);
      const plot = drawChart(figure.querySelector<HTMLElement>('.plot')!, chart.data, {
        height: chart.height,
        lines: chart.lines,
        x: { range: [0, endS()], format: (value) => `${Number(value.toFixed(2))} s` },
        y: chart.y,
        cursor: {
          drag: { x: true, y: false, setScale: false },
          bind: { dblclick: () => zoomOut },
        },
        hooks: {
          draw: [...(chart.paint === undefined ? [] : [chart.paint]), paintEvents],
          setCursor: [
            (self) => {
              const { left } = self.cursor;
              read(left === undefined || left < 0 ? undefined : self.posToVal(left, 'x'), self);
            },
          ],
          setSelect: [
            (self) => {
              const { left, width } = self.select;
              if (width < 4) return;
              self.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
              zoom(self.posToVal(left, 'x'), self.posToVal(left + width, 'x'));
            },
          ],
        },
      });
      return { chart, plot, legend: drawLegend(figure.querySelector('.legend')!, chart.lines) };
    });
  }

  /** Events as dashed lines over the plane. */
  function paintEvents(plot: uPlot): void {
    const { ctx, bbox } = plot;
    ctx.save();
    ctx.strokeStyle = colour('--warn');
    ctx.setLineDash([4, 4]);
    for (const { atS } of series.events) {
      const x = Math.round(plot.valToPos(atS, 'x', true));
      if (x < bbox.left || x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
    ctx.restore();
  }

  function drawOverview(): void {
    if (overview !== undefined) removeChart(overview);
    const lost = series.due.map((_, bin) => series.drops.reduce((sum, { values }) => sum + values[bin], 0));
    overview = drawChart(byId('overview'), steps(series, [series.due, lost]), {
      height: 56,
      lines: [
        { label: 'due', colour: '--line', isFilled: true, isStepped: true },
        { label: 'lost', colour: seriesColour(1), isFilled: true, isStepped: true },
      ],
      x: { range: [0, endS()], format: String },
      y: { format: String, isHidden: true },
      cursor: { drag: { x: true, y: false, setScale: false }, bind: { dblclick: () => zoomOut } },
      hooks: {
        setSelect: [
          ({ select: { left, width }, posToVal }) =>
            void (width >= 4 && zoom(posToVal(left, 'x'), posToVal(left + width, 'x'))),
        ],
      },
    });
  }

  function fillNodes(): void {
    const before = node.value;
    node.replaceChildren(...series.states.map(({ node: name }) => new Option(name, name)));
    node.value = series.states.some((one) => one.node === before) ? before : (mostSockets(series) ?? '');
  }

  for (const slider of [from, to])
    slider.addEventListener('input', () => {
      if (Number(from.value) > Number(to.value) - series.binS * 2) {
        if (slider === from) from.value = String(Number(to.value) - series.binS * 2);
        else to.value = String(Number(from.value) + series.binS * 2);
      }
      zoom(Number(from.value), Number(to.value));
    });
  cursor.addEventListener('input', () => read(Number(cursor.value)));
  byId('zoom-all').addEventListener('click', () => zoom(0, endS()));
  node.addEventListener('change', () => {
    const window = [Number(from.value), Number(to.value)];
    draw();
    zoom(window[0], window[1]);
  });

  return {
    show(variant) {
      read(undefined);
      byId('charts-variant').textContent = variant;
      series = data.variants.find(({ name }) => name === variant) ?? data.variants[0];
      for (const slider of [from, to, cursor]) {
        slider.step = String(series.binS);
        slider.max = String(endS());
      }
      cursor.value = '0';
      fillNodes();
      draw();
      drawOverview();
      zoom(0, endS());
    },
  };
}

function mostSockets({ states }: VariantSeries): string | undefined {
  const size = ({ byState }: VariantSeries['states'][number]) =>
    Math.max(0, ...byState.flatMap(({ values }) => values.map((value) => value ?? 0)));
  return [...states].sort((a, b) => size(b) - size(a))[0]?.node;
}
