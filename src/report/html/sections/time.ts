/** When it happened: charts on one time axis, with a brush and a cursor for all of them; and the same as tables. */
import { count, list } from '../../format.js';
import { type Html, html } from '../escape.js';
import type { VariantSeries } from '../page-data.js';
import { section, variantSwitch } from '../parts.js';
import type { ReportData, ToldTrial } from '../report-data.js';
import { nameOf, rowsOfSockets, timeTables } from './time-tables.js';

/** The section; `chosen` is the variant that is shown first. */
export function timeSection({ told }: ReportData, chosen: string): Html {
  if (told.length === 0) return html``;
  return section(
    'time',
    'When?',
    variantSwitch(
      'shown-time',
      told.map(({ variant }) => variant),
      chosen,
    ),
    html`<p class="needs-script">The charts need JavaScript; the tables below have their numbers.</p>
<div class="charts" id="charts" hidden>
<p class="on-paper">Charts of <span id="charts-variant"></span></p>
<div class="axis-tools">
<div class="overview" id="overview"></div>
<div class="sliders">
<label for="zoom-from">From <output id="zoom-from-out" for="zoom-from"></output></label><input type="range" id="zoom-from" min="0" value="0" step="any">
<label for="zoom-to">To <output id="zoom-to-out" for="zoom-to"></output></label><input type="range" id="zoom-to" min="0" value="0" step="any">
<label for="cursor">Read at <output id="cursor-out" for="cursor"></output></label><input type="range" id="cursor" min="0" value="0" step="any">
<button type="button" id="zoom-all">Show all</button>
</div>
<p class="hint">Drag across a chart to zoom in, double-click to see all. The cursor reads all charts; the chain above shows its pools at the same moment.</p>
</div>
${chart('requests', 'Requests per second', 'How many requests were planned and how many were answered, per second')}
${chart('drops', 'Lost per second, by cause', 'How many requests were lost per second, by cause and place, at the moment of their last try')}
${chart('ports', 'Ports in use, share of the pool', 'Ports in use towards the busiest destination, as a share of each pool')}
${chart('states', 'Sockets by TCP state', 'Sockets of one node by TCP state', html`<label class="pick">of <select id="states-node"></select></label>`)}
${chart('heat', 'Response time, how many took how long', 'How many responses took how long, over time; the darker, the more')}
</div>
`,
    told.map((one) => panel(one, rowsOfSockets(told))),
  );
}

function chart(id: string, heading: string, label: string, tools?: Html): Html {
  return html`<figure class="chart" id="chart-${id}" aria-labelledby="chart-${id}-h"><figcaption><h3 id="chart-${id}-h">${heading}</h3>${tools}<ul class="legend" aria-label="Legend of: ${heading}"></ul></figcaption><div class="plot" role="img" aria-label="${label}. The table below has the numbers."></div></figure>
`;
}

function panel(one: ToldTrial, rowsOfSockets: number): Html {
  const { variant, series } = one;
  const of = nameOf(one);
  return html`<div class="panel" data-panel="${variant}">
${
  series.events.length > 0 &&
  html`<p>Events in ${of}, dashed lines in the charts:</p><ol class="events">${series.events.map(({ atS, text }) => html`<li>${atS.toFixed(2)} s: ${text}</li>`)}</ol>`
}
${hintOf(series, one.leftOut)}
${timeTables(one, rowsOfSockets)}
</div>
`;
}

/** What charts and tables leave out, where they do. */
function hintOf({ pools, states }: VariantSeries, leftOut: ToldTrial['leftOut']): Html {
  const parts = [
    ...(leftOut.pools > 0
      ? [`the ${count(pools.length)} fullest of ${count(pools.length + leftOut.pools)} pools`]
      : []),
    ...(leftOut.hosts > 0
      ? [
          `the ${count(states.length)} of ${count(states.length + leftOut.hosts)} hosts that had the most sockets at once`,
        ]
      : []),
  ];
  return parts.length === 0 ? html`` : html`<p class="hint">Over time this page shows ${list(parts)}.</p>`;
}
