/** What differs between the runs beside their numbers: the scenario, its settings, versions, kernel, driver; and then all of these facts. */
import { list, NOTHING } from '../../../format.js';
import { type Content, type Html, html } from '../../escape.js';
import { details, section } from '../../parts.js';
import { time } from '../../sections/settings.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import { type RunRow, runTable } from '../run-columns.js';

/** Variants whose settings are shown in full. */
const MOST_WHOLE = 8;
/** Settings that are listed as different. */
const MOST_ROWS = 200;

/** The section on what differs. */
export function changesSection(data: ComparisonData): Html {
  const { runs } = data;
  const rows = [
    ...facts(runs).flatMap(({ name, values }) => (differ(values) ? [row(name, '', values)] : [])),
    ...differingSettings(data),
  ];
  return section(
    'changes',
    'What changed between them?',
    rows.length === 0
      ? html`<p>Nothing but the time: the same scenario, settings, seed, driver, kernel and versions.</p>`
      : runTable('What differs, times in ms', ['What', 'In'], runs, rows.slice(0, MOST_ROWS), {
          isText: true,
          hideCaption: true,
        }),
    rows.length > MOST_ROWS &&
      html`<p>${rows.length - MOST_ROWS} more settings differ; each run’s own report has all.</p>`,
  );
}

/** The section with all facts, and the settings of the variants. */
export function settingsSection(data: ComparisonData): Html {
  const { runs, variants } = data;
  const withSettings = variants.filter((name) => runs.some(({ settings }) => Object.hasOwn(settings, name)));
  return section(
    'settings',
    'Settings and versions',
    runTable(
      'Facts of each run',
      ['Fact'],
      runs,
      [
        ...facts(runs).map(({ name, values }) => ({
          heads: [name],
          cells: values.map((value) => html`<code>${value ?? NOTHING}</code>`),
        })),
        { heads: ['Run'], cells: runs.map(({ record }) => html`<code>${record.id}</code>`) },
        { heads: ['Started'], cells: runs.map(({ record }) => time(record.startedAt)) },
        {
          heads: ['Finished'],
          cells: runs.map(({ record }) => (record.finishedAt === null ? 'not yet' : time(record.finishedAt))),
        },
      ],
      { isText: true, hideCaption: true },
    ),
    withSettings.slice(0, MOST_WHOLE).map((name) => whole(runs, name)),
    withSettings.length > MOST_WHOLE &&
      html`<p>The settings of ${list(withSettings.slice(MOST_WHOLE))} are in each run’s own report.</p>`,
  );
}

interface Fact {
  name: string;
  values: (string | undefined)[];
}

/** Short enough to be told apart at a glance. */
const HASH_LETTERS = 12;

function facts(runs: ComparedRun[]): Fact[] {
  const of = (name: string, value: (run: ComparedRun['record']) => string | undefined): Fact => ({
    name,
    values: runs.map(({ record }) => value(record)),
  });
  const versions = [...new Set(runs.flatMap(({ record }) => Object.keys(record.environment.versions)))];
  return [
    of('Scenario', ({ scenario }) => scenario.name),
    of('Scenario file', ({ scenario }) => scenario.file),
    of('Content of the scenario file, SHA-256', ({ scenario }) => scenario.sha256.slice(0, HASH_LETTERS)),
    of('Seed', ({ scenario }) => String(scenario.seed)),
    of('Trials of each variant', ({ variants }) => list([...new Set(variants.map(({ trials }) => String(trials)))])),
    of('Driver', ({ driver }) => driver),
    of('Engine', ({ variants }) => list([...new Set(variants.map(({ generator }) => generator.engine))])),
    of('Kernel', ({ environment }) => environment.kernel),
    of('CPUs', ({ environment }) => (environment.cpus === undefined ? undefined : String(environment.cpus))),
    of('Node.js', ({ environment }) => environment.node),
    ...versions.map((name) =>
      of(name, ({ environment: { versions: own } }) => (Object.hasOwn(own, name) ? own[name] : undefined)),
    ),
    of('Variants', ({ variants }) => list(variants.map(({ name }) => name))),
  ];
}

const differ = (values: unknown[]) => new Set(values).size > 1;

function row(what: Content, where: Content, values: (string | undefined)[]): RunRow {
  return { heads: [what, where], cells: values.map((value) => html`<code>${value ?? NOTHING}</code>`) };
}

/** Settings of the same variant that are not the same in all runs of one scenario; those that changed alike in several variants are told once. */
function differingSettings({ runs, variants }: ComparisonData): RunRow[] {
  const rows = new Map<string, { path: string; values: (string | undefined)[]; of: string[] }>();
  for (const scenario of new Set(runs.map(({ record }) => record.scenario.name))) {
    for (const name of variants) {
      // In another scenario a variant of this name is another one.
      const own = runs.map(({ settings, record }) =>
        record.scenario.name === scenario && Object.hasOwn(settings, name) ? settings[name] : undefined,
      );
      const there = own.filter((one) => one !== undefined);
      for (const path of new Set(there.flatMap((one) => Object.keys(one)))) {
        const value = (one: Record<string, string>) => (Object.hasOwn(one, path) ? one[path] : 'not set');
        if (!differ(there.map(value))) continue;
        const values = own.map((one) => (one === undefined ? undefined : value(one)));
        const key = JSON.stringify([path, values]);
        const known = rows.get(key);
        if (known === undefined) rows.set(key, { path, values, of: [name] });
        else known.of.push(name);
      }
    }
  }
  const isAll = (of: string[]) => of.length === variants.length && variants.length > 1;
  return [...rows.values()].map(({ path, values, of }) =>
    row(html`<code>${path}</code>`, isAll(of) ? 'all variants' : inNames(of), values),
  );
}

/** One name stays in one piece. */
const inNames = (of: string[]) => (of.length === 1 ? html`<span class="whole">${of[0]}</span>` : list(of));

function whole(runs: ComparedRun[], name: string): Html {
  const own = runs.map(({ settings }) => (Object.hasOwn(settings, name) ? settings[name] : {}));
  const paths = [...new Set(own.flatMap((one) => Object.keys(one)))];
  return details(
    `All settings of ${name}, as resolved`,
    runTable(
      `All settings of ${name}, times in ms`,
      ['Setting'],
      runs,
      paths.map((path) => ({
        heads: [html`<code>${path}</code>`],
        cells: own.map((one) => html`<code>${Object.hasOwn(one, path) ? one[path] : NOTHING}</code>`),
      })),
      { isText: true },
    ),
  );
}
