/** The variants side by side: their numbers, the map of a matrix, and what the statistics of `compare` show. */
import type {
  Comparison,
  MetricComparison,
  MetricVerdict,
  PairComparison,
} from '../../../analysis/comparison/comparison.js';
import type { RunRecord, VariantRecord } from '../../../record/run-record.js';
import { methodOf } from '../../comparison-method.js';
import { confidenceLevel, interval, sideValue, signedChange } from '../../comparison-numbers.js';
import { count, NOTHING, plural } from '../../format.js';
import { heatMap } from '../../heat-map.js';
import { type Content, type Html, html, raw } from '../escape.js';
import { counted, inMs, number } from '../number.js';
import { details, section, table } from '../parts.js';
import type { ReportComparison, ReportData } from '../report-data.js';

/** The section. */
export function variantsSection({ record, comparison }: ReportData): Html {
  if (record.variants.length === 0) return html``;
  return section(
    'variants',
    record.variants.length === 1 ? 'All its numbers' : 'The variants side by side',
    matrix(record.variants),
    numbers(record),
    statistics(comparison),
    trials(record),
  );
}

type Row = [head: string, cell: (variant: VariantRecord, path: (string | number)[]) => Content];

function numbers({ variants }: RunRecord): Html {
  const nodes = [...new Set(variants.flatMap(({ ports }) => Object.keys(ports)))];
  const sells = variants.some(({ tickets }) => tickets !== undefined);
  const has = (variant: VariantRecord) => variant.latency.response.count > 0;
  const rows: Row[] = [
    ['Trials', ({ trials: all }, path) => counted(all, [...path, 'trials'])],
    ['Requests due', ({ requests }, path) => counted(requests.due, [...path, 'requests', 'due'])],
    ['Requests completed', ({ requests }, path) => counted(requests.completed, [...path, 'requests', 'completed'])],
    ['Requests lost', ({ requests }, path) => counted(requests.dropped, [...path, 'requests', 'dropped'])],
    ['Tries', ({ requests }, path) => counted(requests.attempts, [...path, 'requests', 'attempts'])],
    ['Visitors arrived', ({ visitors }, path) => counted(visitors.arrived, [...path, 'visitors', 'arrived'])],
    ['Visitors served', ({ visitors }, path) => counted(visitors.served, [...path, 'visitors', 'served'])],
    ['Visitors turned away', ({ visitors }, path) => counted(visitors.turnedAway, [...path, 'visitors', 'turnedAway'])],
    ...(sells
      ? ([
          [
            'Tickets sold',
            ({ tickets }, path) =>
              tickets === undefined ? NOTHING : counted(tickets.sold, [...path, 'tickets', 'sold']),
          ],
        ] satisfies Row[])
      : []),
    [
      'Completed per second',
      ({ throughput }, path) =>
        number(throughput.completedPerSecond, `${Number(throughput.completedPerSecond?.toFixed(1))}`, [
          ...path,
          'throughput',
          'completedPerSecond',
        ]),
    ],
    [
      'Response p50, ms',
      (variant, path) =>
        inMs(has(variant) ? variant.latency.response.p50 : null, [...path, 'latency', 'response', 'p50']),
    ],
    [
      'Response p99, ms',
      (variant, path) =>
        inMs(has(variant) ? variant.latency.response.p99 : null, [...path, 'latency', 'response', 'p99']),
    ],
    ...nodes.map(
      (node): Row => [
        `Ports of ${node} at peak`,
        ({ ports }, path) =>
          Object.hasOwn(ports, node)
            ? html`${counted(ports[node].peak, [...path, 'ports', node, 'peak'])} <small>of ${counted(ports[node].capacity, [...path, 'ports', node, 'capacity'])}</small>`
            : NOTHING,
      ],
    ),
    [
      'Generator late, p99, ms',
      ({ generator }, path) => inMs(generator.lateP99Ms, [...path, 'generator', 'lateP99Ms']),
    ],
  ];
  return table(
    'Numbers of each variant, over all its trials',
    [{ head: 'Number' }, ...variants.map(({ name }) => ({ head: name, isNumber: true }))],
    rows.map(([head, cell]) => [head, ...variants.map((variant, index) => cell(variant, ['variants', index]))]),
  );
}

/** The map of a matrix: shaded, and with the numbers in its cells. */
function matrix(variants: VariantRecord[]): Html {
  const map = heatMap(variants);
  if (map === undefined) return html``;
  const corner = map.down === '' ? map.across : `${map.down} ↓, ${map.across} →`;
  const shade = (heat: number | null) => raw(heat === null ? '' : ` class="n heat-${Math.ceil(heat * 4)}"`);
  return html`<div class="scroll" role="region" aria-label="Map of the matrix" tabindex="0"><table class="matrix"><caption><span>Every combination: ${map.metric}</span></caption>
<thead><tr><th scope="col">${corner}</th>${map.columns.map((name) => html`<th scope="col" class="n">${name}</th>`)}</tr></thead>
<tbody>${map.rows.map(
    ({ head, cells }) =>
      html`<tr><th scope="row">${head === '' ? map.across : head}</th>${cells.map(({ text, heat }) => html`<td${shade(heat)}>${text}</td>`)}</tr>`,
  )}</tbody></table></div>
`;
}

const WORDS: Record<MetricVerdict, string> = {
  better: '▲ better',
  worse: '▼ worse',
  higher: 'higher',
  lower: 'lower',
  'no-difference': 'no difference shown',
  'too-few-trials': 'too few trials',
  same: 'the same',
  'not-measured': 'not measured',
};

function statistics(comparison: ReportComparison): Html {
  switch (comparison.kind) {
    case 'alone':
      return html``;
    case 'refused':
      return html`<h3>Statistics</h3><p>The variants cannot be compared: ${comparison.why}.</p>`;
    case 'made':
      return html`<h3>Statistics</h3>${tooFew(comparison.comparison)}${comparison.comparison.pairs.slice(0, MOST_PAIRS).map((pair) => pairTable(pair, comparison.comparison))}
${comparison.comparison.pairs.length > MOST_PAIRS && html`<p>The first ${MOST_PAIRS} of ${count(comparison.comparison.pairs.length)} variants are shown; <code>portparty compare</code> has all.</p>`}
${details('How this was found out', html`<p class="hint">${methodOf(comparison.comparison)}</p>`)}`;
  }
}

/** Metrics that were measured and differ. */
export const shownOf = ({ metrics }: PairComparison) =>
  metrics.filter(({ verdict }) => verdict !== 'same' && verdict !== 'not-measured');

/** Whether no metric has a verdict, for want of trials. */
export const saysNothing = (pair: PairComparison) => shownOf(pair).every(({ verdict }) => verdict === 'too-few-trials');

/** What a single trial cannot say, said once. */
export function tooFew({ pairs }: Comparison): Html {
  const few = pairs.filter((pair) => shownOf(pair).length > 0 && saysNothing(pair));
  if (few.length === 0) return html``;
  const needs = Math.max(...few.map(({ trialsToShowAnything }) => trialsToShowAnything));
  const from =
    Number.isFinite(needs) && html` From ${count(needs)} trials each on they can: <code>--trials ${needs}</code>.`;
  return html`<p>So few trials cannot tell a difference from chance.${from}</p>`;
}

/** Pairs that are shown unfolded, and at all. */
const FEW_PAIRS = 3;
const MOST_PAIRS = 40;

function pairTable(pair: PairComparison, comparison: Comparison): Html {
  const title = `${pair.other.variant} against ${pair.base.variant}`;
  const content = metricTable(pair, comparison, { title, base: pair.base.variant, other: pair.other.variant });
  return comparison.pairs.length > FEW_PAIRS || saysNothing(pair) ? details(title, content) : content;
}

/** Every metric that differs between two settings, with what can be said of it; `names` is what the two are called here. */
export function metricTable(
  pair: PairComparison,
  { confidence }: Comparison,
  names: { title: string; base: string; other: string },
): Html {
  const same = pair.metrics.filter(({ verdict }) => verdict === 'same').map(({ metric }) => metric);
  const trials = `${plural(pair.trials.other, 'trial')} against ${count(pair.trials.base)}${pair.paired ? ', paired by their number' : ''}`;
  return html`${table(
    `${names.title}; ${trials}`,
    [
      { head: 'Metric' },
      { head: names.base, isNumber: true },
      { head: names.other, isNumber: true },
      { head: 'Change', isNumber: true },
      { head: `${confidenceLevel(confidence)} interval`, isNumber: true },
      { head: 'Verdict' },
      { head: 'Trials needed', isNumber: true },
    ],
    shownOf(pair).map((metric) => [
      metric.metric,
      sideValue(metric.base, metric),
      sideValue(metric.other, metric),
      signedChange(metric),
      interval(metric),
      html`<span class="verdict-${metric.verdict}">${WORDS[metric.verdict]}</span>`,
      needed(metric),
    ]),
  )}${same.length > 0 && html`<p><small>The same in every trial: ${same.join(', ')}.</small></p>`}`;
}

function needed({ trialsNeeded }: MetricComparison): string {
  if (trialsNeeded === null) return NOTHING;
  return trialsNeeded > 1000 ? 'more than 1,000' : count(trialsNeeded);
}

/** Trials that are listed. */
const MOST_TRIALS = 400;

function trials({ variants }: RunRecord): Html {
  if (variants.every(({ perTrial }) => perTrial.length < 2)) return html``;
  const all = variants.flatMap(({ name, perTrial }, variant) =>
    perTrial.map((trial, index) => {
      const path = ['variants', variant, 'perTrial', index];
      return [
        `${name}, trial ${trial.trial}`,
        counted(trial.requests.due, [...path, 'requests', 'due']),
        counted(trial.requests.completed, [...path, 'requests', 'completed']),
        counted(trial.requests.dropped, [...path, 'requests', 'dropped']),
        inMs(trial.latency.response.count > 0 ? trial.latency.response.p50 : null, [
          ...path,
          'latency',
          'response',
          'p50',
        ]),
        inMs(trial.latency.response.count > 0 ? trial.latency.response.p99 : null, [
          ...path,
          'latency',
          'response',
          'p99',
        ]),
        trial.validity.valid ? 'valid' : 'invalid',
      ];
    }),
  );
  const left = all.length - MOST_TRIALS;
  return details(
    `Every trial (${count(all.length)})`,
    table(
      'Every trial',
      [
        { head: 'Trial' },
        ...['Due', 'Completed', 'Lost', 'Response p50, ms', 'Response p99, ms'].map((head) => ({
          head,
          isNumber: true,
        })),
        { head: 'Measurement' },
      ],
      all.slice(0, MOST_TRIALS),
    ),
    left > 0 && html`<p>${count(left)} more are in run.json.</p>`,
  );
}
