/** How slow: percentile curves and histograms of every run and variant overlaid, and the percentiles as tables. */
import { NOTHING } from '../../../format.js';
import { type Html, html } from '../../escape.js';
import { counted, inMs } from '../../number.js';
import { details, section, table } from '../../parts.js';
import { HEADS, KINDS, latencyFigures, STATS } from '../../sections/latency.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import { chip, from, perRun, runTable } from '../run-columns.js';

/** The section. */
export function latencySection({ runs, variants }: ComparisonData): Html {
  return section(
    'latency',
    'How slow?',
    latencyFigures('run and variant'),
    runTable(
      'Response latency p99, ms',
      ['Variant'],
      runs,
      variants.map((name) => ({
        heads: [name],
        cells: perRun(runs, name, ({ variant: { latency }, path }) =>
          latency.response.count > 0 ? inMs(latency.response.p99, [...path, 'latency', 'response', 'p99']) : NOTHING,
        ),
      })),
    ),
    KINDS.map(([kind, name, meaning]) =>
      details(`${name} latency: all percentiles`, percentiles(runs, variants, kind, `${name} latency, ms: ${meaning}`)),
    ),
    html`<p class="hint">Requests that were lost have no latency: where one run loses more, those that are left look fast.</p>`,
  );
}

function percentiles(runs: ComparedRun[], variants: string[], kind: 'response' | 'connect', caption: string): Html {
  const rows = variants.flatMap((name) =>
    runs.flatMap((run, place) => {
      const index = run.record.variants.findIndex((variant) => variant.name === name);
      if (index === -1) return [];
      const latency = run.record.variants[index].latency[kind];
      const path = ['variants', index, 'latency', kind];
      return [
        [
          html`${chip(runs, place)} ${name}`,
          from(run, counted(latency.count, [...path, 'count'])),
          ...STATS.map((stat) => from(run, inMs(latency.count > 0 ? latency[stat] : null, [...path, stat]))),
        ],
      ];
    }),
  );
  return table(
    caption,
    [
      { head: 'Run and variant' },
      { head: 'Requests', isNumber: true },
      ...STATS.map((stat) => ({ head: HEADS[stat], isNumber: true })),
    ],
    rows,
  );
}
