/** When: arrivals, losses and the fullest pool of each run over each other, on one axis of time since the start; and what the lines come to as a table. */
import { NOTHING } from '../../../format.js';
import { type Content, type Html, html } from '../../escape.js';
import { number, poolShare } from '../../number.js';
import { details, section, variantSwitch } from '../../parts.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import type { Overlay, OverlayLine } from '../overlay-data.js';
import { runTable } from '../run-columns.js';

const CHARTS = [
  ['due', 'Arrivals per second', 'Requests planned per second, one line per run'],
  ['lost', 'Lost per second', 'Requests lost per second, one line per run'],
  ['share', 'Ports in use', 'Share of the fullest pool in use, one line per run'],
];

/** The section. */
export function timeSection({ runs, overlays }: ComparisonData): Html {
  if (overlays.length === 0) return html``;
  return section(
    'time',
    'When?',
    variantSwitch(
      'shown-overlay',
      overlays.map(({ variant }) => variant),
      overlays[0].variant,
    ),
    html`<div class="charts" id="overlay-charts" hidden>
<div class="overlay-tools"><label class="read-at">Read at <input type="range" id="overlay-cursor" min="0" value="0" step="0.1"> <output id="overlay-at" for="overlay-cursor"></output></label></div>
${CHARTS.map(
  ([id, name, label]) =>
    html`<figure class="chart"><figcaption><h3 id="overlay-name-${id}">${name}</h3><ul class="legend" id="overlay-values-${id}" aria-label="${name} at the cursor"></ul></figcaption><div class="plot" id="overlay-${id}" role="img" aria-label="${label}, over time since the start of the trial. The table below tells what it comes to."></div></figure>
`,
)}</div>
`,
    overlays.map((overlay) => panel(runs, overlay)),
    html`<p class="hint">Of each run the trial that lost the most; time counts from that trial’s start.</p>`,
  );
}

function panel(runs: ComparedRun[], overlay: Overlay): Html {
  const cells = (value: (line: OverlayLine) => Content) =>
    runs.map((_, run) => {
      const line = overlay.lines.find((one) => one.run === run);
      return line === undefined ? html`<span class="none">${NOTHING}</span>` : value(line);
    });
  const rows: [string, (line: OverlayLine) => Content][] = [
    ['Trial shown', ({ trial }) => number(trial, String(trial))],
    ['Lasted, s', ({ due, binS }) => seconds(due.length, binS)],
    ['Highest rate of arrivals, per second', ({ due, binS }) => rate(due, binS)],
    ['Highest rate of losses, per second', ({ lost, binS }) => rate(lost, binS)],
    [
      'First lost at, s',
      ({ lost, binS }) =>
        seconds(
          lost.findIndex((value) => value > 0),
          binS,
        ),
    ],
    [
      'Last lost at, s',
      ({ lost, binS }) =>
        seconds(
          lost.findLastIndex((value) => value > 0),
          binS,
        ),
    ],
    ...(overlay.pool === undefined
      ? []
      : ([[`Ports of ${overlay.pool} in use, at most`, ({ share }) => highest(share)]] satisfies [
          string,
          (line: OverlayLine) => Content,
        ][])),
  ];
  const content = runTable(
    `${overlay.variant} over time`,
    ['What'],
    runs,
    rows.map(([head, value]) => ({ heads: [head], cells: cells(value) })),
    { hideCaption: true },
  );
  return html`<div class="panel" data-overlay-panel="${overlay.variant}">${details(`${overlay.variant} over time, as a table`, content)}</div>
`;
}

const rate = (values: number[], binS: number) => {
  const most = Math.max(0, ...values) / binS;
  return number(most, String(Number(most.toFixed(1))));
};

const seconds = (bin: number, binS: number) =>
  bin < 0 ? html`<span class="none">${NOTHING}</span>` : number(bin * binS, (bin * binS).toFixed(1));

function highest(share: (number | null)[]): Content {
  if (share.length === 0) return NOTHING;
  const most = share.reduce<number>((highestYet, value) => Math.max(highestYet, value ?? 0), 0);
  return number(most, poolShare(most));
}
