/** The settings and versions: what was run, on what, and what each variant sets differently. */
import type { ChainRecord } from '../../../record/chain-record.js';
import { NOTHING } from '../../format.js';
import { type Content, type Html, html } from '../escape.js';
import { details, section, table } from '../parts.js';
import type { ReportData } from '../report-data.js';

/** The section. */
export function settingsSection(data: ReportData): Html {
  return section('settings', 'Settings and versions', facts(data), differences(data), whole(data));
}

function facts({ record }: ReportData): Html {
  const { scenario, environment, driver, driverReason, startedAt, finishedAt, baseline } = record;
  const rows: [string, Content][] = [
    ['Run', html`<code>${record.id}</code>`],
    ['Scenario', html`${scenario.name}, <code>${scenario.file}</code>`],
    ['SHA-256 of the scenario', html`<code>${scenario.sha256}</code>`],
    ['Seed', scenario.seed],
    ['Started', time(startedAt)],
    ['Finished', finishedAt === null ? 'it did not come to its end' : time(finishedAt)],
    ['Driver', `${driver}${driverReason ? `: ${driverReason}` : ''}`],
    ['Kernel', environment.kernel],
    ['Node.js', environment.node],
    ['CPUs', environment.cpus],
    ...Object.entries(environment.versions).map(([name, version]): [string, Content] => [name, version]),
    ...(baseline === undefined
      ? []
      : ([['Baseline', html`<code>${baseline.run}</code>`]] satisfies [string, Content][])),
    ...(record.variants[0] === undefined
      ? []
      : ([['Engine', record.variants[0].generator.engine]] satisfies [string, Content][])),
  ];
  return html`<dl class="facts">${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
`;
}

/** A moment to the second, UTC. */
export function time(iso: string): Html {
  return html`<time datetime="${iso}">${iso.replace('T', ' ').replace(/\.\d+Z$/, ' UTC')}</time>`;
}

/** What the variants do not have in common, by the path of the setting in the scenario. */
function differences({ told }: ReportData): Html {
  const chains = told.filter(({ chain }) => chain !== undefined);
  if (chains.length < 2) return html``;
  const flat = chains.map(({ chain }) => settingsOf(chain!));
  const paths = [...new Set(flat.flatMap((one) => [...one.keys()]))];
  const differing = paths.filter((path) => new Set(flat.map((one) => one.get(path) ?? NOTHING)).size > 1);
  if (differing.length === 0) return html``;
  return table(
    'What the variants set differently, times in ms',
    [{ head: 'Setting' }, ...chains.map(({ variant }) => ({ head: variant }))],
    differing.map((path) => [
      html`<code>${path}</code>`,
      ...flat.map((one) => html`<code>${one.get(path) ?? NOTHING}</code>`),
    ]),
  );
}

function whole({ told }: ReportData): Html {
  const [first] = told.filter(({ chain }) => chain !== undefined);
  if (first === undefined) return html``;
  const settings = [...settingsOf(first.chain!)];
  return details(
    `All settings of ${first.variant}, as resolved`,
    table(
      `All settings of ${first.variant}, times in ms`,
      [{ head: 'Setting' }, { head: 'Value' }],
      settings.map(([path, value]) => [html`<code>${path}</code>`, html`<code>${value}</code>`]),
    ),
  );
}

/** Every value by its path: `topology.edge.ports`. Addresses are the testbed's, no setting. */
export function settingsOf({ nodes, traffic }: ChainRecord): Map<string, string> {
  const all = new Map<string, string>();
  for (const [name, { kind, to, hosts, spec }] of Object.entries(nodes)) {
    all.set(`topology.${name}.kind`, kind);
    all.set(`topology.${name}.hosts`, String(hosts.length));
    if (to !== undefined) all.set(`topology.${name}.to`, to);
    flatten(`topology.${name}`, spec, all);
  }
  flatten('traffic', traffic, all);
  return all;
}

function flatten(path: string, value: unknown, into: Map<string, string>): void {
  if (value === undefined) return;
  const range = value as { lo?: unknown; hi?: unknown } | null;
  if (typeof range?.lo === 'number' && typeof range.hi === 'number') {
    into.set(path, `${range.lo}-${range.hi}`);
    return;
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) flatten(`${path}.${key}`, inner, into);
  } else into.set(path, typeof value === 'string' ? value : JSON.stringify(value));
}
