/** The page of several runs: from its data to one file of HTML. Pure but for the built script and style that it puts inside. */
import { plural, toMinute } from '../../format.js';
import { type Html, html } from '../escape.js';
import { renderPage } from '../shell.js';
import type { ComparisonData } from './comparison-data.js';
import type { ComparisonPageData } from './overlay-data.js';
import { changesSection, settingsSection } from './sections/changes.js';
import { latencySection } from './sections/latency.js';
import { lossesSection } from './sections/losses.js';
import { numbersSection } from './sections/numbers.js';
import { statisticsSection } from './sections/statistics.js';
import { timeSection } from './sections/time.js';
import { overall, verdictSection } from './sections/verdict.js';

/** The whole file. `links` has the way from it to a run's own page, by the run's id, for those that have one. */
export function renderComparisonPage(data: ComparisonData, links: Record<string, string> = {}): string {
  const { runs, overlays, curves } = data;
  const names = [...new Set(runs.map(({ record }) => record.scenario.name))];
  const heading = `${names.slice(0, 3).join(', ')}${names.length > 3 ? ', …' : ''}: ${plural(runs.length, 'run')}`;
  const { word } = overall(runs);
  const body = html`<header class="top"><p class="brand">Port Party</p>
<h1>${heading}</h1>
<p class="facts-line">${facts(data)}</p>
${navigation(data)}</header>
<main id="main">
${verdictSection(data, links)}${changesSection(data)}${lossesSection(data)}${timeSection(data)}${latencySection(data)}${numbersSection(data)}${statisticsSection(data)}${settingsSection(data)}</main>
<footer><p>Written by Port Party from the records of these runs; <code>portparty report ${runs.map(({ record }) => record.id).join(' ')}</code> writes it again.</p></footer>`;
  return renderPage({
    title: `${word}: ${heading} – Port Party`,
    body,
    data: { letters: runs.map(({ letter }) => letter), overlays, curves } satisfies ComparisonPageData,
    script: 'comparison',
  });
}

function facts({ runs, variants }: ComparisonData): string {
  const times = runs.map(({ record }) => record.startedAt).sort();
  const drivers = [...new Set(runs.map(({ record }) => record.driver))];
  return [
    `${toMinute(times[0])} to ${toMinute(times.at(-1)!)} UTC`,
    drivers.join(' and '),
    plural(variants.length, 'variant'),
    `${runs[0].letter} is the base`,
  ].join(' · ');
}

function navigation({ overlays }: ComparisonData): Html {
  const links: [string, string, boolean][] = [
    ['verdict', 'Verdict', true],
    ['changes', 'Changes', true],
    ['losses', 'Losses', true],
    ['time', 'Time', overlays.length > 0],
    ['latency', 'Latency', true],
    ['numbers', 'Throughput', true],
    ['statistics', 'Statistics', true],
    ['settings', 'Settings', true],
  ];
  return html`<nav aria-label="Sections"><ul>${links.map(([id, name, there]) => there && html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}
