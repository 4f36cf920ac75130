/** How slow: percentile curves and histograms of all variants, overlaid, and the percentiles as a table. */
import type { RunRecord } from '../../../record/run-record.js';
import { type Html, html, raw } from '../escape.js';
import { counted, inMs } from '../number.js';
import { section, table } from '../parts.js';

/** Both latencies: as the record names them, in a word, and what they count. */
export const KINDS = [
  [
    'response',
    'Response',
    'from the planned time of a request until its whole answer was there; completed requests only',
  ],
  [
    'connect',
    'Connect',
    'from the planned time of a request until the handshake was done; requests that opened a connection',
  ],
] as const;
/** Numbers of a latency that are shown. */
export const STATS = ['p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const;
/** Their heads. */
export const HEADS: Record<(typeof STATS)[number], string> = {
  p50: 'p50',
  p90: 'p90',
  p99: 'p99',
  p999: 'p99.9',
  max: 'Longest',
  mean: 'Mean',
};

/** Places of both charts and of their legend, which the script draws into; a line is of `what`. */
export function latencyFigures(what: string): Html {
  return html`<div class="charts" id="latency-charts" hidden>
<fieldset class="switch"><legend>Latency shown</legend>${KINDS.map(
    ([kind, name], index) =>
      html`<label><input type="radio" name="shown-latency" value="${kind}"${raw(index === 0 ? ' checked' : '')}><span>${name}</span></label>`,
  )}</fieldset>
<ul class="legend" id="latency-legend" aria-label="Legend of the latency charts"></ul>
<div class="pair">
<figure class="chart"><figcaption><h3>Percentiles</h3></figcaption><div class="plot" id="chart-percentiles" role="img" aria-label="Latency by percentile, one line per ${what}, both axes logarithmic. The tables below have the percentiles."></div></figure>
<figure class="chart"><figcaption><h3>Histogram</h3></figcaption><div class="plot" id="chart-histogram" role="img" aria-label="Share of requests by latency, one line per ${what}, both axes logarithmic. The tables below have the percentiles."></div></figure>
</div>
</div>
`;
}

/** The section. */
export function latencySection({ variants }: RunRecord): Html {
  if (variants.length === 0) return html``;
  return section(
    'latency',
    'How slow?',
    latencyFigures('variant'),
    KINDS.map(([kind, name, meaning]) =>
      table(
        `${name} latency, ms: ${meaning}`,
        [
          { head: 'Variant' },
          { head: 'Requests', isNumber: true },
          ...STATS.map((stat) => ({ head: HEADS[stat], isNumber: true })),
        ],
        variants.map(({ name: variant, latency }, index) => {
          const path = ['variants', index, 'latency', kind];
          const has = latency[kind].count > 0;
          return [
            variant,
            counted(latency[kind].count, [...path, 'count']),
            ...STATS.map((stat) => inMs(has ? latency[kind][stat] : null, [...path, stat])),
          ];
        }),
      ),
    ),
    html`<p class="hint">Latency counts from the planned time, so that a stalled system cannot hide its own queue. Requests that were lost have no latency: where many are lost, those that are left look fast.</p>`,
  );
}
