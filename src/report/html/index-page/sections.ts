/** The sections of the page over a results folder: where each scenario stands, all runs, the trends, what could not be read. */
import { count, list, NOTHING, percent, plural } from '../../format.js';
import type { Ending } from '../ending.js';
import { type Content, type Html, html } from '../escape.js';
import { inMs, number } from '../number.js';
import { details, section, table } from '../parts.js';
import { endingMark, endingWords, minute } from '../run-words.js';
import type { IndexData, IndexRun, IndexScenario } from './index-data.js';
import { singlePoints, trendCard } from './trend-card.js';

/** Runs that are shown unfolded. */
const FIRST_RUNS = 40;

/** Where each scenario stands: its newest run, and how it went before. */
export function standingSection({ runs, scenarios }: IndexData): Html {
  if (scenarios.length === 0) return html``;
  return section(
    'standing',
    'Where does it stand?',
    overall(scenarios),
    table(
      'The newest run of each scenario',
      [
        { head: 'Scenario' },
        { head: 'Newest run' },
        { head: 'Lost', isNumber: true },
        { head: 'Begun, UTC' },
        { head: 'Runs', isNumber: true },
        { head: 'Its course, oldest first' },
      ],
      scenarios.map(({ name, course, runs: all }) => {
        const [newest] = runs.filter(({ scenario }) => scenario === name);
        return [
          html`<span data-scenario="${name}">${linked(newest, name)}</span>`,
          html`${endingMark(newest.ending)}<br><small class="words">${newest.words}</small>`,
          lost(newest),
          minute(newest.startedAt),
          count(all),
          courseOf(course),
        ];
      }),
      { hideCaption: true },
    ),
  );
}

function overall(scenarios: IndexScenario[]): Html {
  const now = (ending: Ending) => scenarios.filter(({ course }) => course.at(-1) === ending);
  const [held, failing, invalid] = [now('pass'), now('fail'), now('invalid')];
  const names = (some: IndexScenario[]) =>
    list(
      some
        .slice(0, 5)
        .map(({ name }) => name)
        .concat(some.length > 5 ? [`${some.length - 5} more`] : []),
    );
  const all = plural(scenarios.length, 'scenario');
  const [kind, mark, word, words] =
    failing.length > 0
      ? ['bad', '✗', `${count(failing.length)} of ${all} ${failing.length === 1 ? 'fails' : 'fail'}`, names(failing)]
      : invalid.length > 0
        ? [
            'warn',
            '!',
            `${count(invalid.length)} of ${all} ${invalid.length === 1 ? 'was' : 'were'} not measured well`,
            names(invalid),
          ]
        : held.length === scenarios.length
          ? ['good', '✓', scenarios.length === 1 ? 'It holds' : `All ${all} hold`, '']
          : [
              'plain',
              '·',
              `${count(held.length)} of ${all} ${held.length === 1 ? 'holds' : 'hold'}`,
              'the others have no gates, or did not finish',
            ];
  return html`<p class="verdict ${kind}"><span class="mark" aria-hidden="true">${mark}</span> <strong>${word}</strong> ${words}</p>`;
}

function courseOf(course: Ending[]): Html {
  const endings = [...new Set(course)];
  const words = list(
    endings.map(
      (ending) => `${count(course.filter((one) => one === ending).length)} × ${endingWords(ending).word.toLowerCase()}`,
    ),
  );
  return html`<span class="course-marks" role="img" aria-label="${words}">${course.map((ending) => html`<span class="${endingWords(ending).kind}" title="${endingWords(ending).word}">${endingWords(ending).mark}</span>`)}</span>`;
}

/** All runs, newest first. */
export function runsSection({ runs, left }: IndexData): Html {
  const [first, more] = [runs.slice(0, FIRST_RUNS), runs.slice(FIRST_RUNS)];
  return section(
    'runs',
    'All runs',
    filters(runs),
    html`<p id="filter-says" role="status">${plural(runs.length, 'run')}, newest first.</p>`,
    runs.length > 0 && runTable('Runs, newest first', first),
    more.length > 0 &&
      html`<div id="older">${details(`${plural(more.length, 'older run')}`, runTable('Older runs', more))}</div>`,
    left.runs > 0 &&
      html`<p>${plural(left.runs, 'older run')} in this folder ${left.runs === 1 ? 'is' : 'are'} left out: the page holds the newest ${count(runs.length)}.</p>`,
    left.searches > 0 &&
      html`<p class="hint">${plural(left.searches, 'folder')} of searches for capacity or of tunings ${left.searches === 1 ? 'is' : 'are'} not listed: they are no single runs.</p>`,
  );
}

/** Hidden until the script is there: without it all is shown anyway. */
function filters(runs: IndexRun[]): Html {
  const scenarios = [...new Set(runs.map(({ scenario }) => scenario))].sort();
  const endings = [...new Set(runs.map(({ ending }) => ending))];
  const option = (value: string, text: string) => html`<option value="${value}">${text}</option>`;
  return html`<div class="filters" id="filters" hidden>
<label>Scenario <select id="filter-scenario">${option('', 'all')}${scenarios.map((name) => option(name, name))}</select></label>
<label>Verdict <select id="filter-ending">${option('', 'all')}${endings.map((ending) => option(ending, endingWords(ending).word))}</select></label>
</div>`;
}

function runTable(caption: string, runs: IndexRun[]): Html {
  return table(
    caption,
    [
      { head: 'Run' },
      { head: 'Verdict' },
      { head: 'Lost', isNumber: true },
      { head: 'Response p99, ms', isNumber: true },
      { head: 'Begun, UTC' },
      { head: 'Driver' },
      { head: 'Variants', isNumber: true },
    ],
    runs.map((run) => [
      html`<span data-run="${run.folder}" data-scenario="${run.scenario}" data-ending="${run.ending}">${linked(run, run.scenario)}<small class="id"><code>${run.id}</code></small></span>`,
      html`${endingMark(run.ending)}<br><small class="words">${run.words}</small>`,
      lost(run),
      slowest(run),
      minute(run.startedAt),
      run.driver,
      count(run.variants),
    ]),
    { hideCaption: true },
  );
}

/** A name that leads to the run's own page, where there is one. */
function linked({ folder, hasReport, id }: IndexRun, name: string): Content {
  return hasReport
    ? html`<a href="./${encodeURIComponent(folder)}/report.html" title="${id}">${name}</a>`
    : html`<span title="${id}">${name}</span>`;
}

function lost({ folder, totals: { due, dropped } }: IndexRun): Html {
  if (due === 0) return html`<span class="none">${NOTHING}</span>`;
  const share = dropped > 0 && html` <small>${percent(dropped / due)}</small>`;
  return html`<span class="${dropped > 0 ? 'loss' : 'none'}" data-run="${folder}" data-total="dropped">${number(dropped, count(dropped))}</span>${share}`;
}

function slowest({ folder, variants, totals: { slowest: own } }: IndexRun): Content {
  if (own === undefined) return html`<span class="none">${NOTHING}</span>`;
  return html`<span data-run="${folder}">${inMs(own.p99, ['variants', own.index, 'latency', 'response', 'p99'])}</span>${variants > 1 && html`<br><small class="whose">${own.variant}</small>`}`;
}

/** The gate metrics of each scenario over its runs. */
export function trendsSection({ runs, scenarios }: IndexData): Html {
  const shown = scenarios.filter(({ trends }) => trends.length > 0);
  if (shown.length === 0) return html``;
  return section(
    'trends',
    'How did the gates’ metrics go?',
    html`<p>Each plot is a metric that a gate holds to a bound (dashed), run by run in the order of time. <span class="key-marks"><span class="holds">●</span> held, <span class="fails">✗</span> failed, <span class="skipped">○</span> not to be trusted; a dotted upright line: the scenario’s file was changed.</span></p>`,
    shown.map((scenario, index) => ofScenario(scenario, runs, `trend-${index}`)),
  );
}

function ofScenario({ name, trends, left, runs: all }: IndexScenario, runs: IndexRun[], id: string): Html {
  const several = trends.filter(({ points }) => points.length > 1);
  const single = trends.filter(({ points }) => points.length < 2);
  return html`<div class="scenario" data-scenario="${name}"><h3>${name} <small>${plural(all, 'run')}</small></h3>
${several.length > 0 && html`<div class="trends">${several.map((trend, index) => trendCard(name, trend, runs, `${id}-${index}`))}</div>`}
${singlePoints(name, single, runs)}
${left > 0 && html`<p class="hint">${plural(left, 'more metric')}, less often failed or farther from ${left === 1 ? 'its bound, is' : 'their bounds, are'} left out; each run’s own report has all.</p>`}</div>
`;
}

/** Records that could not be read. */
export function brokenSection({ broken, left }: IndexData): Html {
  if (broken.length === 0) return html``;
  return section(
    'broken',
    'Records that cannot be read',
    table(
      'Records that cannot be read, and why',
      [{ head: 'Folder' }, { head: 'What is wrong' }],
      broken.map(({ folder, why }) => [html`<code>${folder}</code>`, why]),
      { hideCaption: true },
    ),
    left.broken > 0 && html`<p>${plural(left.broken, 'more record')} cannot be read.</p>`,
  );
}
