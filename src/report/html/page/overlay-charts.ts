/** The charts of several runs over time: arrivals, losses, the fullest pool; one cursor reads all of them, by mouse or by keyboard. */
import uPlot from 'uplot';
import type { ComparisonPageData, Overlay, OverlayLine } from '../comparison/overlay-data.js';
import { type ChartOptions, drawChart, drawLegend, type LegendEntry, type Line, removeChart } from './chart.js';
import { percent, perSecond, poolShare, seconds } from './numbers.js';
import { dashes, seriesColour } from './theme.js';

/** One of the charts: what it takes from a run's line. */
interface Kind {
  id: 'due' | 'lost' | 'share';
  values(line: OverlayLine): (number | null)[];
  y: ChartOptions['y'];
  /** A value at the cursor. */
  format(value: number): string;
}

const KINDS: Kind[] = [
  {
    id: 'due',
    values: ({ due, binS }) => due.map((count) => count / binS),
    y: { format: perSecond },
    format: perSecond,
  },
  {
    id: 'lost',
    values: ({ lost, binS }) => lost.map((count) => count / binS),
    y: { format: perSecond },
    format: perSecond,
  },
  {
    id: 'share',
    values: ({ share }) => share,
    y: { range: [0, 1.04], splits: [0, 0.25, 0.5, 0.75, 1], format: percent },
    format: poolShare,
  },
];
/** A moment that is the beginning of a bin lies in it, not a hair before. */
const ROUNDING = 1e-6;
const byId = <Kind extends HTMLElement = HTMLElement>(id: string) => document.getElementById(id) as Kind;

/** Draws them, and again for each variant that is chosen. */
export function overlayCharts({ overlays, letters }: ComparisonPageData): void {
  const place = document.getElementById('overlay-charts');
  if (place === null || overlays.length === 0) return;
  place.hidden = false;
  const slider = byId<HTMLInputElement>('overlay-cursor');
  let drawn: { chart: uPlot; kind: Kind; legend: LegendEntry[]; lines: OverlayLine[] }[] = [];

  function show(overlay: Overlay): void {
    for (const { chart } of drawn) removeChart(chart);
    const endS = Math.max(...overlay.lines.map(({ due, binS }) => due.length * binS));
    byId('overlay-name-share').textContent =
      overlay.pool === undefined ? 'Ports in use: not measured' : `Ports of ${overlay.pool} in use`;
    drawn = KINDS.map((kind) => {
      const lines = overlay.lines.filter((line) => kind.values(line).length > 0);
      const chart = drawChart(byId(`overlay-${kind.id}`), joined(lines.map((line) => [line.binS, kind.values(line)])), {
        height: 140,
        lines: lines.map(lineOf),
        x: { range: [0, endS], format: (value) => `${value} s` },
        y: kind.y,
        cursor: { drag: { x: false, y: false } },
      });
      chart.over.addEventListener('mousemove', () => read(chart.posToVal(chart.cursor.left ?? 0, 'x')));
      chart.over.addEventListener('mouseleave', () => read(undefined));
      return { chart, kind, legend: drawLegend(byId(`overlay-values-${kind.id}`), lines.map(lineOf)), lines };
    });
    slider.max = String(endS);
    slider.step = String(Math.min(...overlay.lines.map(({ binS }) => binS)));
    slider.value = '0';
    read(undefined);
  }

  const lineOf = ({ run }: OverlayLine): Line => ({
    label: letters[run],
    colour: seriesColour(run),
    dash: dashes(run),
    isStepped: true,
  });

  /** Tells every line at a moment; nothing where none is given. */
  function read(atS: number | undefined): void {
    byId('overlay-at').textContent = atS === undefined ? '' : seconds(atS);
    const said = drawn.map(({ chart, kind, legend, lines }) => {
      const texts = lines.map((line) => {
        const value = atS === undefined ? undefined : kind.values(line)[Math.floor(atS / line.binS + ROUNDING)];
        return value === undefined || value === null ? '' : kind.format(value);
      });
      legend.forEach((entry, index) => {
        entry.setValue(texts[index]);
      });
      chart.setCursor({ left: atS === undefined ? -10 : chart.valToPos(atS, 'x'), top: 0 }, false);
      const told = lines.map(({ run }, index) => `${letters[run]} ${texts[index] || '–'}`);
      return [byId(`overlay-name-${kind.id}`).textContent, ...(told.length > 0 ? [told.join(', ')] : [])].join(': ');
    });
    if (atS === undefined) slider.removeAttribute('aria-valuetext');
    else slider.setAttribute('aria-valuetext', `${seconds(atS)}: ${said.join('; ')}`);
  }

  slider.addEventListener('input', () => read(Number(slider.value)));
  const choices = [...document.querySelectorAll<HTMLInputElement>('input[name="shown-overlay"]')];
  const panels = [...document.querySelectorAll<HTMLElement>('[data-overlay-panel]')];
  function choose(variant: string): void {
    for (const panel of panels) panel.hidden = panel.dataset.overlayPanel !== variant;
    show(overlays.find((overlay) => overlay.variant === variant) ?? overlays[0]);
  }
  for (const choice of choices) {
    choice.closest<HTMLElement>('fieldset')!.hidden = false;
    choice.addEventListener('change', () => choose(choice.value));
  }
  choose(choices.find(({ checked }) => checked)?.value ?? overlays[0].variant);
}

/** Lines of different bins on one axis, each to the end of its last bin. */
function joined(lines: [binS: number, values: (number | null)[]][]): uPlot.AlignedData {
  if (lines.length === 0) return [[0, 1]];
  return uPlot.join(
    lines.map(([binS, values]): uPlot.AlignedData => {
      const all = [...values, values.at(-1)];
      return [all.map((_, bin) => Number((bin * binS).toFixed(3))), all];
    }),
  );
}
