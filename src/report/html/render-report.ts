/** The page of a run: from its data to one file of HTML. Pure but for the built script and style that it puts inside. */
import { toMinute } from '../format.js';
import { type Html, html } from './escape.js';
import type { PageData } from './page-data.js';
import type { ReportData } from './report-data.js';
import { evidenceSection } from './sections/evidence.js';
import { latencySection } from './sections/latency.js';
import { lossesSection } from './sections/losses.js';
import { settingsSection } from './sections/settings.js';
import { timeSection } from './sections/time.js';
import { variantsSection } from './sections/variants.js';
import { verdictOf, verdictSection } from './sections/verdict.js';
import { renderPage } from './shell.js';

/** The whole file: it loads nothing, and every number of the charts is in it as text as well. */
export function renderReport(data: ReportData): string {
  const { record, told } = data;
  const chosen = told.reduce<ReportData['told'][number] | undefined>(
    (most, one) => (most === undefined || one.story.requests.dropped > most.story.requests.dropped ? one : most),
    undefined,
  );
  const verdict = verdictOf(record);
  const shown = chosen?.variant ?? '';
  const body = html`<header class="top"><p class="brand">Port Party</p>
<h1>${record.scenario.name}</h1>
<p class="facts-line">${factsLine(data)}</p>
${navigation(data)}</header>
<main id="main">
${verdictSection(record, data.missing)}${lossesSection(data, shown)}${timeSection(data, shown)}${latencySection(record)}${variantsSection(data)}${settingsSection(data)}${evidenceSection(data)}</main>
<footer><p>Run <code>${record.id}</code>. Written by Port Party from the record beside this file; <code>portparty report ${record.id}</code> writes it again.</p></footer>`;
  return renderPage({
    title: `${verdict.word}: ${record.scenario.name} – Port Party`,
    body,
    data: pageData(data),
    script: 'run',
  });
}

function factsLine({ record }: ReportData): string {
  const { environment, driver, scenario, startedAt } = record;
  const versions = Object.entries(environment.versions).map(([name, version]) => `${name} ${version}`);
  const trials = Math.max(1, ...record.variants.map((variant) => variant.trials));
  return [
    `${toMinute(startedAt)} UTC`,
    driver,
    `kernel ${environment.kernel}`,
    ...versions,
    `seed ${scenario.seed}`,
    ...(trials > 1 ? [`${trials} trials, counts summed`] : []),
  ].join(' · ');
}

function navigation({ record, told }: ReportData): Html {
  const links: [string, string, boolean][] = [
    ['verdict', 'Verdict', true],
    ['losses', 'Losses', true],
    ['time', 'Time', told.length > 0],
    ['latency', 'Latency', record.variants.length > 0],
    ['variants', record.variants.length === 1 ? 'Numbers' : 'Variants', record.variants.length > 0],
    ['settings', 'Settings', true],
    ['evidence', 'Evidence', true],
  ];
  return html`<nav aria-label="Sections"><ul>${links.map(([id, name, there]) => there && html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}

/** What the charts are drawn from. */
function pageData({ told, curves }: ReportData): PageData {
  return { variants: told.map(({ series }) => series), curves };
}
