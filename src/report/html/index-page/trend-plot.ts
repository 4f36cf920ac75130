/** A small plot of one trend as SVG: what each run saw against what it had to hold, the failing ones by shape and colour. Needs no script. */
import type { GateUnit } from '../../../analysis/gate-expression.js';
import { count, ms, percent } from '../../format.js';
import { type Html, html, raw } from '../escape.js';
import type { Trend, TrendPoint } from './index-data.js';

const SIZE = { width: 320, height: 120 };
/** Room for the numbers of the axis to the left, and for points at the edges. */
const PLANE = { left: 58, right: 312, top: 10, bottom: 104 };

/** From this share of the highest value on the lowest one is in a narrow band with it. */
const NARROW = 0.8;

/** A value in the unit of its gate. */
export function inUnit(value: number, unit: GateUnit): string {
  switch (unit) {
    case 'ms':
      return `${ms(value)} ms`;
    case 'share':
      return percent(value);
    case 'per-second':
      return `${Number(value.toFixed(1)).toLocaleString('en-US')}/s`;
    case 'count':
      return Number.isInteger(value) ? count(value) : String(Number(value.toPrecision(4)));
  }
}

/** The plot; `id` is unique on the page, `words` say in a sentence what it shows. */
export function trendPlot(trend: Trend, id: string, words: string): Html {
  const { points, unit } = trend;
  const [low, high] = rangeOf(trend);
  const x = (index: number) =>
    points.length === 1
      ? (PLANE.left + PLANE.right) / 2
      : PLANE.left + 8 + ((PLANE.right - PLANE.left - 14) * index) / (points.length - 1);
  const y = (value: number) => PLANE.bottom - ((PLANE.bottom - PLANE.top) * (value - low)) / (high - low);
  const known = points.flatMap(({ observed }, index) =>
    observed === null ? [] : [`${round(x(index))} ${round(y(observed))}`],
  );
  return html`<svg class="trend" viewBox="0 0 ${SIZE.width} ${SIZE.height}" role="img" aria-labelledby="${id}-t"><title id="${id}-t">${words}</title><g aria-hidden="true">
<path class="grid" d="M${PLANE.left} ${PLANE.top}H${PLANE.right}M${PLANE.left} ${PLANE.bottom}H${PLANE.right}"/><text x="${PLANE.left - 8}" y="${PLANE.top + 4}">${inUnit(high, unit)}</text><text x="${PLANE.left - 8}" y="${PLANE.bottom + 4}">${inUnit(low, unit)}</text>
${points.map(({ isChanged }, index) => isChanged && html`<path class="changed" d="M${round((x(index - 1) + x(index)) / 2)} ${PLANE.top}V${PLANE.bottom}"/>`)}<path class="bound" d="${raw(boundPath(points, x, y))}"/>${known.length > 1 && html`<path class="course" d="M${raw(known.join('L'))}"/>`}
${points.map((point, index) => mark(point, x(index), point.observed === null ? PLANE.bottom : y(point.observed)))}</g></svg>
`;
}

/** From zero, unless several values lie in a narrow band far above it; the upper end is a round number. */
function rangeOf({ points, unit }: Trend): [number, number] {
  const values = points.flatMap(({ observed, bound }) => [observed, bound].filter((value) => value !== null));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  if (values.length === 0 || most <= 0) return [0, 1];
  if (unit === 'share') return [0, most > 0.1 ? Math.max(1, most) : roundUp(most)];
  if (least <= most * NARROW || least === most) return [0, roundUp(most)];
  const step = roundUp(most - least);
  return [Math.floor(least / step) * step, Math.ceil(most / step) * step];
}

/** The next number of 1, 1.5, 2, 3, 5 or 8 times a power of ten. */
function roundUp(value: number): number {
  const decade = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 1.5, 2, 3, 5, 8, 10].find((one) => one * decade >= value * (1 - 1e-9)) ?? 10;
  return Number((factor * decade).toPrecision(3));
}

/** Level over each run, with a step where the bound was changed. */
function boundPath(points: TrendPoint[], x: (index: number) => number, y: (value: number) => number): string {
  const parts: string[] = [];
  points.forEach(({ bound }, index) => {
    if (bound === null) return;
    const from = index === 0 ? PLANE.left : (x(index - 1) + x(index)) / 2;
    const to = index === points.length - 1 ? PLANE.right : (x(index) + x(index + 1)) / 2;
    const last = index > 0 ? points[index - 1].bound : null;
    parts.push(`${last === null ? 'M' : 'L'}${round(from)} ${round(y(bound))}H${round(to)}`);
  });
  return parts.join('');
}

/** A dot where it held, a cross where it failed, a ring where the numbers cannot be trusted. */
function mark({ pass, valid }: TrendPoint, x: number, y: number): Html {
  const [cx, cy] = [round(x), round(y)];
  if (!valid) return html`<circle class="doubtful" cx="${cx}" cy="${cy}" r="4"/>`;
  if (pass) return html`<circle class="held" cx="${cx}" cy="${cy}" r="3.5"/>`;
  return html`<path class="failed" d="M${round(x - 4.5)} ${round(y - 4.5)}l9 9m0 -9l-9 9"/>`;
}

const round = (value: number) => Number(value.toFixed(1));
