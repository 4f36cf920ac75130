/** The page over a results folder: from its data to one file of HTML. Pure but for the built script and style that it puts inside. */
import { plural, toMinute } from '../../format.js';
import { type Html, html } from '../escape.js';
import { renderPage } from '../shell.js';
import type { IndexData } from './index-data.js';
import { brokenSection, runsSection, standingSection, trendsSection } from './sections.js';

/** The whole file; `folder` is the name of the results folder. */
export function renderIndexPage(data: IndexData, folder: string): string {
  const { runs, broken } = data;
  const body = html`<header class="top"><p class="brand">Port Party</p>
<h1>${folder}</h1>
<p class="facts-line">${facts(data)}</p>
${navigation(data)}</header>
<main id="main">
${runs.length === 0 && html`<p class="verdict warn"><span class="mark" aria-hidden="true">!</span> <strong>No record can be read</strong> ${plural(broken.length, 'folder')} below</p>`}
${standingSection(data)}${runsSection(data)}${trendsSection(data)}${brokenSection(data)}</main>
<footer><p>Written by Port Party from the run.json of each run; <code>portparty report --index</code> with this folder writes it again.</p></footer>`;
  return renderPage({
    title: `${folder}: ${plural(runs.length, 'run')} – Port Party`,
    body,
    data: null,
    script: 'runs-index',
  });
}

function facts({ runs, scenarios, broken }: IndexData): string {
  const [newest] = runs;
  return [
    plural(runs.length, 'run'),
    plural(scenarios.length, 'scenario'),
    ...(newest === undefined ? [] : [`the newest of ${toMinute(newest.startedAt)} UTC`]),
    ...(broken.length > 0 ? [`${plural(broken.length, 'record')} cannot be read`] : []),
  ].join(' · ');
}

function navigation({ scenarios, broken }: IndexData): Html {
  const links: [string, string, boolean][] = [
    ['standing', 'Where it stands', scenarios.length > 0],
    ['runs', 'All runs', true],
    ['trends', 'Trends', scenarios.some(({ trends }) => trends.length > 0)],
    ['broken', 'Unreadable', broken.length > 0],
  ];
  return html`<nav aria-label="Sections"><ul>${links.map(([id, name, there]) => there && html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>`;
}
