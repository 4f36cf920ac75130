/** One trend: what it is of, what the newest run saw, the plot, and behind it every point as a table. */
import { count, plural } from '../../format.js';
import { type Html, html } from '../escape.js';
import { number } from '../number.js';
import { details, table } from '../parts.js';
import { minute } from '../run-words.js';
import type { IndexRun, Trend, TrendPoint } from './index-data.js';
import { inUnit, trendPlot } from './trend-plot.js';

/** The card; `id` is unique on the page. */
export function trendCard(scenario: string, trend: Trend, runs: IndexRun[], id: string): Html {
  const { variant, driver, metric, operator, points, left } = trend;
  const newest = points.at(-1)!;
  const where = driver === undefined ? variant : `${variant}, ${driver}`;
  const failed = points.filter(({ pass, valid }) => valid && !pass).length;
  const doubtful = points.filter(({ valid }) => !valid).length;
  const name = `${metric} of ${where}`;
  const held = [
    failed === 0 ? 'it did not fail' : `it failed in ${count(failed)}`,
    ...(doubtful > 0 ? [`${count(doubtful)} cannot be trusted`] : []),
  ].join(', ');
  const words = `${name}, in ${plural(points.length, 'run')}: ${held}; the newest saw ${seen(newest, trend)}, held against ${operator} ${bound(newest, trend)}.`;
  return html`<div class="card" data-trend="${id}"><h4><code>${metric}</code> <small>${where}</small></h4>
<p class="newest"><span class="${kindOf(newest)}"><span aria-hidden="true">${MARKS[kindOf(newest)]}</span> ${seen(newest, trend)}</span> <small>to hold ${operator} ${bound(newest, trend)}</small></p>
${trendPlot(trend, id, words)}
${details(
  html`${plural(points.length, 'run')}${failed > 0 && `, ${count(failed)} failed`}${doubtful > 0 && `, ${count(doubtful)} not to be trusted`}`,
  table(
    `${scenario}, ${where}: ${metric} ${operator} ${bound(newest, trend)}, run by run`,
    [
      { head: 'Run, UTC' },
      { head: 'Gate' },
      { head: 'Observed', isNumber: true },
      { head: `Bound (${operator})`, isNumber: true },
    ],
    points.map((point) => row(point, trend, runs)),
    { hideCaption: true },
  ),
  left > 0 && html`<p class="hint">${plural(left, 'older run')} left out.</p>`,
)}</div>
`;
}

function row(point: TrendPoint, trend: Trend, runs: IndexRun[]) {
  const { startedAt } = runs[point.run];
  return [
    html`${minute(startedAt)}${point.isChanged && html`<br><small>the file was changed</small>`}`,
    verdictMark(point),
    observedOf(point, trend, runs),
    bound(point, trend),
  ];
}

function observedOf(point: TrendPoint, trend: Trend, runs: IndexRun[]): Html {
  const [variant, gate] = point.at;
  const path = ['variants', variant, 'gates', gate, 'observed'];
  return html`<span data-run="${runs[point.run].folder}">${number(point.observed, seen(point, trend), path)}</span>`;
}

const seen = ({ observed }: TrendPoint, { unit }: Trend) =>
  observed === null ? 'not measured' : inUnit(observed, unit);

const bound = ({ bound: value }: TrendPoint, { unit }: Trend) =>
  value === null ? 'nothing measured' : inUnit(value, unit);

const MARKS = { holds: '✓', fails: '✗', skipped: '!' };
const kindOf = ({ pass, valid }: TrendPoint) => (!valid ? 'skipped' : pass ? 'holds' : 'fails');

/** Whether the gate held, and whether that is worth anything. */
function verdictMark(point: TrendPoint): Html {
  const kind = kindOf(point);
  const word = { holds: 'holds', fails: 'fails', skipped: `${point.pass ? 'holds' : 'fails'}, not to be trusted` }[
    kind
  ];
  return html`<span class="${kind}${kind !== 'skipped' && ' whole'}">${MARKS[kind]} ${word}</span>`;
}

/** Metrics that only one run saw: a point is no trend. */
export function singlePoints(scenario: string, trends: Trend[], runs: IndexRun[]): Html {
  if (trends.length === 0) return html``;
  return details(
    `${plural(trends.length, 'metric')} that only one run saw`,
    table(
      `Metrics of ${scenario} that only one run saw`,
      [
        { head: 'Variant' },
        { head: 'Metric' },
        { head: 'Observed', isNumber: true },
        { head: 'Bound', isNumber: true },
        { head: 'Gate' },
        { head: 'Run, UTC' },
      ],
      trends.map((trend) => {
        const [point] = trend.points;
        return [
          trend.driver === undefined ? trend.variant : `${trend.variant}, ${trend.driver}`,
          html`<code>${trend.metric}</code>`,
          observedOf(point, trend, runs),
          `${trend.operator} ${bound(point, trend)}`,
          verdictMark(point),
          minute(runs[point.run].startedAt),
        ];
      }),
      { hideCaption: true },
    ),
  );
}
