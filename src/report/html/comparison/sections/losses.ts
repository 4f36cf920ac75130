/** What was lost, by cause and place, and how full the pools were: per variant, the runs beside each other. */
import type { CauseCount } from '../../../../record/run-record.js';
import { count, list, NOTHING, percent, placeOf } from '../../../format.js';
import { poolLevel } from '../../../pool-level.js';
import { type Content, type Html, html } from '../../escape.js';
import { counted, poolShare } from '../../number.js';
import { section } from '../../parts.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import { type Placed, perRun, type RunRow, runTable } from '../run-columns.js';

/** The section. */
export function lossesSection({ runs, variants, left }: ComparisonData): Html {
  const lost = variants.flatMap((name) => lossesOf(runs, name));
  const pools = variants.flatMap((name) => poolsOf(runs, name));
  return section(
    'losses',
    'What was lost, and how full were the pools?',
    lost.length === 0
      ? html`<p>${nothingLost(runs, left)}</p>`
      : runTable('Requests lost, of all that came due; by cause and place', ['Variant', 'Lost to'], runs, lost),
    pools.length > 0 &&
      runTable(
        'Ports in use at the peak towards the busiest destination, of those that the pool has',
        ['Variant', 'Node'],
        runs,
        pools,
        { isText: true },
      ),
    left.length > 0 &&
      html`<p>${count(left.length)} more variants are left out, as there are too many; each run’s own report has them: ${list(left)}.</p>`,
  );
}

/** Only what ran to its end has its losses decided, and only some variants may be shown. */
function nothingLost(runs: ComparedRun[], left: string[]): string {
  const cut = runs.filter(({ record }) => record.status === 'interrupted').map(({ letter }) => letter);
  if (cut.length > 0)
    return `No trial that ran to its end lost a request, and none was late; of what was cut short in ${list(cut)} no cause was decided.`;
  return left.length > 0
    ? 'None of the variants shown here lost a request, and none was late.'
    : 'No run lost a request, and none was late.';
}

function lossesOf(runs: ComparedRun[], name: string): RunRow[] {
  const places = (of: 'byCause' | 'delayed') => [
    ...new Set(
      runs.flatMap(({ record }) =>
        record.variants.filter((variant) => variant.name === name).flatMap(({ requests }) => requests[of].map(placeOf)),
      ),
    ),
  ];
  const [lost, late] = [places('byCause'), places('delayed')];
  if (lost.length + late.length === 0) return [];
  const isOne = lost.length === 1 && late.length === 0;
  const all: RunRow = {
    heads: [name, isOne ? html`<code>${lost[0]}</code>` : html`<strong>all causes</strong>`],
    cells: perRun(runs, name, ({ variant: { requests }, path }) => {
      const shown = counted(requests.dropped, [...path, 'requests', 'dropped']);
      return requests.dropped === 0
        ? html`<span class="none">${shown}</span>`
        : html`<strong class="loss">${shown}</strong> <small>${percent(requests.dropped / requests.due)}</small>`;
    }),
  };
  const row = (place: string, of: 'byCause' | 'delayed', text: Content): RunRow => ({
    heads: [html`<span class="again">${name}</span>`, text],
    cells: perRun(runs, name, (placed) => countOf(placed, place, of)),
  });
  if (isOne) return [all];
  return [
    all,
    ...lost.map((place) => row(place, 'byCause', html`<code>${place}</code>`)),
    ...late.map((place) => row(place, 'delayed', html`late, not lost: <code>${place}</code>`)),
  ];
}

function countOf({ variant, path }: Placed, place: string, of: 'byCause' | 'delayed'): Content {
  const entries: Omit<CauseCount, 'evidence'>[] = variant.requests[of];
  const index = entries.findIndex((entry) => placeOf(entry) === place);
  if (index === -1) return html`<span class="none">0</span>`;
  return counted(entries[index].count, [...path, 'requests', of, index, 'count']);
}

function poolsOf(runs: ComparedRun[], name: string): RunRow[] {
  const nodes = new Set(
    runs.flatMap(({ record }) =>
      record.variants
        .filter((variant) => variant.name === name)
        .flatMap(({ ports }) => Object.entries(ports).flatMap(([node, { capacity }]) => (capacity > 0 ? [node] : []))),
    ),
  );
  const fullest = (node: string) =>
    Math.max(
      ...runs.flatMap(({ record }) =>
        record.variants.flatMap((variant) =>
          variant.name === name && Object.hasOwn(variant.ports, node) ? [variant.ports[node].peakShare] : [],
        ),
      ),
    );
  return [...nodes]
    .sort((a, b) => fullest(b) - fullest(a))
    .map((node, index) => ({
      heads: [index === 0 ? name : html`<span class="again">${name}</span>`, node],
      cells: perRun(runs, name, ({ variant: { ports }, path }) => {
        if (!Object.hasOwn(ports, node)) return html`<span class="none">${NOTHING}</span>`;
        const { peak, capacity } = ports[node];
        const own = [...path, 'ports', node];
        return html`<span class="pool">${bar(peak / capacity)} ${counted(peak, [...own, 'peak'])} <small>of ${counted(capacity, [...own, 'capacity'])}, ${poolShare(peak / capacity)}</small></span>`;
      }),
    }));
}

/** How full, to see at a glance; the number stands beside it. */
function bar(share: number): Html {
  const full = Math.min(1, share);
  return html`<svg class="bar" width="66" height="12" viewBox="0 0 66 12" aria-hidden="true"><rect class="tank" x="1" y="1" width="64" height="10" rx="3"/><rect class="${poolLevel(full)}" x="1" y="1" width="${Number((full * 64).toFixed(1))}" height="10" rx="3"/><rect class="rim" x="1" y="1" width="64" height="10" rx="3"/></svg>`;
}
