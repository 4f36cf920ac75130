/** Did each of them hold? One answer over all, a line per run, and in a sentence each what happened. */
import type { RunRecord } from '../../../../record/run-record.js';
import { explainDifference } from '../../../difference.js';
import { count, list, NOTHING, percent, placeOf, plural } from '../../../format.js';
import { type Ending, endingOf } from '../../ending.js';
import { type Content, type Html, html } from '../../escape.js';
import { inMs, number } from '../../number.js';
import { section, table } from '../../parts.js';
import { endingMark, endingWords, inWords, minute, totalsOf } from '../../run-words.js';
import type { ComparedRun, ComparisonData } from '../comparison-data.js';
import { chip, from } from '../run-columns.js';
import { summaries } from './statistics.js';

/** Variants that a run's sentence goes through; of more only sums are told. */
const MOST_TOLD = 4;
/** Doubts that are told. */
const MOST_WARNINGS = 12;

/** The section; `links` has the way to a run's own page by its id, where it has one. */
export function verdictSection(data: ComparisonData, links: Record<string, string>): Html {
  const { runs } = data;
  const { mark, word, words, kind } = overall(runs);
  return section(
    'verdict',
    'Did each of them hold?',
    html`<p class="verdict ${kind}"><span class="mark" aria-hidden="true">${mark}</span> <strong>${word}</strong> ${words}</p>`,
    warnings(runs),
    glance(runs, links),
    html`<dl class="told">${alike(runs.map(({ record }) => whatHappened(record))).map(({ text, places }) => html`<div><dt>${places.map((place) => html`${chip(runs, place)} `)}</dt><dd>${text}</dd></div>`)}</dl>`,
    html`<h3>What changed, and how sure is it?</h3>
<ul class="findings">${summaries(data).map((text) => html`<li>${text}</li>`)}</ul>`,
  );
}

/** The same sentence is said once, of all that it holds for. */
function alike(texts: string[]): { text: string; places: number[] }[] {
  return [...new Set(texts)].map((text) => ({
    text,
    places: texts.flatMap((one, place) => (one === text ? [place] : [])),
  }));
}

/** The answer in a word and a sentence, as the page's title has it. */
export function overall(runs: ComparedRun[]): { mark: string; word: string; words: string; kind: string } {
  const of = (ending: Ending) => runs.filter(({ record }) => endingOf(record) === ending);
  const letters = (some: ComparedRun[]) => list(some.map(({ letter }) => letter));
  const [held, failed, invalid] = [of('pass'), of('fail'), of('invalid')];
  const all = plural(runs.length, 'run');
  const rest = (['pass', 'fail', 'invalid', 'interrupted', 'unfinished', 'none'] as const)
    .map((ending) => ({ ending, some: of(ending) }))
    .filter(({ some }) => some.length > 0)
    .map(({ ending, some }) => `${letters(some)} ${some.length === 1 ? ONE[ending] : MANY[ending]}`);
  const words = rest.join('; ');
  if (held.length === runs.length)
    return {
      mark: '✓',
      word: runs.length === 2 ? 'Both hold' : `All ${count(runs.length)} hold`,
      words: '',
      kind: 'good',
    };
  if (failed.length > 0)
    return {
      mark: '✗',
      word: `${count(failed.length)} of ${all} ${failed.length === 1 ? 'fails' : 'fail'}`,
      words,
      kind: 'bad',
    };
  if (invalid.length > 0 || of('none').length < runs.length)
    return {
      mark: '!',
      word: `${count(held.length)} of ${all} ${held.length === 1 ? 'holds' : 'hold'}`,
      words,
      kind: 'warn',
    };
  return { mark: '·', word: 'No gates', words: 'nothing was to hold', kind: 'plain' };
}

const ONE: Record<Ending, string> = {
  pass: 'holds',
  fail: 'fails',
  invalid: 'is invalid',
  interrupted: 'was interrupted',
  unfinished: 'has not finished',
  none: 'has no gates',
};
const MANY: Record<Ending, string> = {
  pass: 'hold',
  fail: 'fail',
  invalid: 'are invalid',
  interrupted: 'were interrupted',
  unfinished: 'have not finished',
  none: 'have no gates',
};

function warnings(runs: ComparedRun[]): Html {
  const scenarios = [...new Set(runs.map(({ record }) => record.scenario.name))];
  const apart =
    scenarios.length > 1
      ? [
          `These are runs of different scenarios: ${list(scenarios)}. A variant of the same name is another one in each.`,
        ]
      : [];
  const own = runs.flatMap(({ letter, record, missing }) => [
    ...(record.status === 'interrupted'
      ? [
          `${letter} ${ONE[record.finishedAt === null ? 'unfinished' : 'interrupted']}: only what ran to its end is shown.`,
        ]
      : []),
    ...record.variants.flatMap(({ name, validity }) =>
      validity.reasons.map((reason) => `${letter}, ${name}, is invalid: ${reason}.`),
    ),
    ...missing.map((text) => `${letter}: ${text}`),
  ]);
  const texts = [...apart, ...own];
  if (texts.length === 0) return html``;
  const more = texts.length - MOST_WARNINGS;
  const told = more > 0 ? [...texts.slice(0, MOST_WARNINGS), `${count(more)} more in the runs’ own reports.`] : texts;
  return html`<ul class="warnings">${told.map((text) => html`<li>${text}</li>`)}</ul>`;
}

function glance(runs: ComparedRun[], links: Record<string, string>): Html {
  return table(
    'The runs at a glance',
    [
      { head: 'Run' },
      { head: 'Verdict' },
      { head: 'Lost', isNumber: true },
      { head: 'Mostly to' },
      { head: 'Response p99, ms', isNumber: true },
      { head: 'Begun, UTC' },
    ],
    runs.map((run, index) => {
      const { record } = run;
      const { due, dropped, slowest } = totalsOf(record);
      const isLost = dropped > 0;
      return [
        html`${chip(runs, index)} ${named(record, links[record.id])}`,
        html`${endingMark(endingOf(record))}<br><small class="words">${inWords(record)}</small>`,
        from(
          run,
          html`<span class="${isLost ? 'loss' : 'none'}" data-total="dropped">${number(dropped, count(dropped))}</span>${isLost && html` <small>${percent(dropped / due)}</small>`}`,
        ),
        mostlyTo(record),
        from(
          run,
          slowest === undefined
            ? NOTHING
            : html`${inMs(slowest.p99, ['variants', slowest.index, 'latency', 'response', 'p99'])}${record.variants.length > 1 && html`<br><small class="whose">${slowest.variant}</small>`}`,
        ),
        minute(record.startedAt),
      ];
    }),
    { hideCaption: true },
  );
}

/** The scenario's name, which leads to the run's own page where there is one. */
function named({ id, scenario }: RunRecord, link: string | undefined): Content {
  const name = link === undefined ? scenario.name : html`<a href="${link}">${scenario.name}</a>`;
  return html`${name}<small class="id"><code>${id}</code></small>`;
}

function mostlyTo({ variants }: RunRecord): Content {
  const places = new Map<string, number>();
  for (const { requests } of variants)
    for (const entry of requests.byCause) places.set(placeOf(entry), (places.get(placeOf(entry)) ?? 0) + entry.count);
  const [most, ...more] = [...places].sort(([, a], [, b]) => b - a);
  if (most === undefined) return html`<span class="none">${NOTHING}</span>`;
  return html`<code>${most[0]}</code>${more.length > 0 && html` <small>and ${plural(more.length, 'other')}</small>`}`;
}

/** The run's own sentence; of a large matrix what it comes to. */
function whatHappened(record: RunRecord): string {
  const { variants } = record;
  if (variants.length === 0) return `No trial ran to its end: ${endingWords(endingOf(record)).word.toLowerCase()}.`;
  if (variants.length <= MOST_TOLD) return explainDifference(record) || 'Nothing was measured.';
  const losing = variants.filter(({ requests }) => requests.dropped > 0);
  const { due, dropped } = totalsOf(record);
  if (losing.length === 0) return `None of its ${plural(variants.length, 'variant')} lost a request.`;
  const most = losing.reduce((worst, one) => (one.requests.dropped > worst.requests.dropped ? one : worst));
  return `${count(losing.length)} of ${plural(variants.length, 'variant')} lost ${count(dropped)} of ${plural(due, 'request')} in all, ${most.name} the most (${count(most.requests.dropped)}).`;
}
