/** What was lost, where and why: per variant the picture of its chain, the causes with what ran out and what would help. */
import type { Advice } from '../../../analysis/advice.js';
import type { Chapter } from '../../../analysis/chapter.js';
import { CAUSES } from '../../../ledger/causes.js';
import type { RunRecord, TrialRecord, VariantRecord } from '../../../record/run-record.js';
import { roughSecondsOfMs } from '../../../seconds.js';
import { whatRanOut } from '../../explain/story-text.js';
import { count, list, percent, placeOf, plural } from '../../format.js';
import { shellWord } from '../../shell-word.js';
import { chainPicture } from '../chain-picture.js';
import { type Html, html } from '../escape.js';
import { counted, share } from '../number.js';
import { details, section, table, variantSwitch } from '../parts.js';
import type { ReportData, ToldTrial } from '../report-data.js';

/** The section; `chosen` is the variant that is shown first. */
export function lossesSection(data: ReportData, chosen: string): Html {
  const { record, told, untold } = data;
  return section(
    'losses',
    'What was lost, where and why?',
    variantSwitch(
      'shown-losses',
      told.map(({ variant }) => variant),
      chosen,
    ),
    told.map((one, index) => panel(record, one, index)),
    untold.length > 0 &&
      html`<p>Of ${count(told.length + untold.length)} variants the ${count(told.length)} that lost the most are told here; all of them are in the tables. Left out: ${list(untold)}.</p>`,
    told.length === 0 && html`<p>The record holds no request.</p>`,
  );
}

function panel(record: RunRecord, one: ToldTrial, index: number): Html {
  const variantIndex = record.variants.findIndex(({ name }) => name === one.variant);
  const variant: VariantRecord | undefined = record.variants[variantIndex];
  const trialIndex = variant?.perTrial.findIndex(({ trial }) => trial === one.trial) ?? -1;
  const trial = variant?.perTrial[trialIndex];
  const path = ['variants', variantIndex, 'perTrial', trialIndex];
  const several = one.trials > 1;
  return html`<article class="panel" data-panel="${one.variant}" aria-labelledby="losses-${index}">
<h3 id="losses-${index}">${one.variant}</h3>
<p>${opening(one)}${several && html` <small>This is trial ${one.trial} of ${one.trials}, the one that lost the most.</small>`}</p>
${
  one.chain !== undefined &&
  chainPicture({
    id: `chain-${index}`,
    variant: one.variant,
    chain: one.chain,
    ports: trial?.ports ?? {},
    byCause: trial?.requests.byCause,
  })
}
${one.story.chapters.map((chapter) => cause(record, one, chapter))}${retries(one)}
${trial !== undefined && pools(trial, path)}
</article>
`;
}

/** The first sentence, in the words of `explain`. */
function opening({ story }: ToldTrial): Html {
  const { due, dropped, late, underWay } = story.requests;
  if (!story.isWhole)
    return html`It was cut short: of ${plural(due, 'request')} that had come due ${count(dropped)} were lost and ${count(underWay)} were under way. No cause was decided.`;
  const lateOnes = late === 0 ? '' : `; ${count(late)} more came late`;
  if (dropped === 0)
    return html`Nothing was lost: ${due === 1 ? 'the request' : `all ${plural(due, 'request')}`} completed${late > 0 && `, ${count(late)} of them late`}.`;
  const { turnedAway, arrived } = story.visitors;
  return html`<strong>${count(dropped)} of ${plural(due, 'request')} (${percent(dropped / due)}) were lost</strong>${lateOnes}. ${count(turnedAway)} of ${plural(arrived, 'visitor')} ${turnedAway === 1 ? 'was' : 'were'} turned away.`;
}

function cause(record: RunRecord, told: ToldTrial, chapter: Chapter): Html {
  const { lost, wake, late, firstMs, lastMs } = chapter;
  const parts = [
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...wake.map((after) => `${count(after.count)} lost in its wake`),
    ...(late > 0 ? [`${count(late)} late`] : []),
  ];
  return html`<div class="cause" data-cause="${chapter.cause}">
<h4><span class="key" aria-hidden="true"></span><code>${placeOf(chapter)}</code> <small>${list(parts)}</small></h4>
<p>${whatRanOut(chapter)}${chapter.pool !== undefined && html` <small>(${chapter.cause}: ${CAUSES[chapter.cause]?.means}.)</small>`}</p>
<p>${lost + wake.length > 0 ? 'Lost' : 'Late'}: the first was sent ${roughSecondsOfMs(firstMs)} into the run${lastMs - firstMs >= 10 && `, the last at ${roughSecondsOfMs(lastMs)}`}. ${lost + wake.length > 0 && struck(chapter)}</p>
${wake.map((after) => aftermath(told, chapter, after))}
${chapter.lateByMs !== undefined && html`<p>${plural(late, 'request')} completed only after a repeated SYN: ${roughSecondsOfMs(chapter.lateByMs.median)} until the handshake was done (median), ${roughSecondsOfMs(chapter.lateByMs.longest)} at most.</p>`}
${chapter.advice.length > 0 && help(record, told.variant, chapter.advice)}
</div>
`;
}

const MOST_TIMES = 3;

/** What followed from it, and when. */
function aftermath({ story }: ToldTrial, quake: Chapter, after: Chapter['wake'][number]): Html {
  const times = story.aftershocks
    .filter((one) => one.at === after.at && one.because?.cause === quake.cause && one.because.at === quake.at)
    .map(({ beganMs, lastedMs }) => `from ${roughSecondsOfMs(beganMs)} on for ${roughSecondsOfMs(lastedMs)}`);
  const when = list(
    times.length > MOST_TIMES
      ? [...times.slice(0, MOST_TIMES), `${count(times.length - MOST_TIMES)} times more`]
      : times,
  );
  return html`<p>In its wake ${plural(after.count, 'request')} ended as <code>${placeOf(after)}</code>: ${CAUSES[after.cause]?.means}${when !== '' && `, ${when}`}.</p>`;
}

/** Tries beyond the first, of visitors and of proxies. */
function retries({ story }: ToldTrial): Html {
  const { requests, further, rescued, lost, perRequest, proxies } = story.retries;
  const busy = Object.entries(proxies).filter(([, { tries, requests: asked }]) => tries > asked);
  if (further === 0 && busy.length === 0) return html``;
  const each = (value: number) => Number(value.toFixed(2));
  return html`<p>${
    further > 0 &&
    `Visitors tried ${plural(requests, 'request')} again, ${each(perRequest)} tries per request in all; ${count(rescued)} of them completed in the end, ${count(lost)} were lost all the same. `
  }${busy.map(([node, { tries, requests: asked, failed }]) => `${node} tried its backends ${count(tries)} times for ${plural(asked, 'request')} (${each(tries / asked)} each), ${count(failed)} tries failed. `)}</p>
`;
}

const MOST_NAMED = 4;

function struck({ visitors, byClient, byStep }: Chapter): string {
  const shares = (counts: Record<string, number>) => {
    const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
    const named = sorted.slice(0, MOST_NAMED).map(([name, value]) => `${name} ${count(value)}`);
    return list(sorted.length > MOST_NAMED ? [...named, `${count(sorted.length - MOST_NAMED)} more`] : named);
  };
  return `It struck ${plural(visitors, 'visitor')}; by client host: ${shares(byClient)}; by step: ${shares(byStep)}.`;
}

function help(record: RunRecord, variant: string, advice: Advice[]): Html {
  const first = advice.find(({ knob, value }) => knob !== undefined && value !== undefined);
  return html`<div class="help"><h5>What would help</h5>
<ul>${advice.map(
    ({ do: what, knob, value, because }) =>
      html`<li>${what}${knob !== undefined && html`<br><code>${value === undefined ? knob : `${knob}: ${value}`}</code>`}${because !== undefined && html`<br><small>${because}</small>`}</li>`,
  )}</ul>
${first !== undefined && html`<p>To try the first: <code>${tryCommand(record.scenario.file, variant, first)}</code></p>`}</div>`;
}

function tryCommand(file: string, variant: string, { knob, value }: Advice): string {
  return `portparty run ${shellWord(file)} --variant ${shellWord(variant)} --set ${shellWord(`${knob}=${value}`)}`;
}

/** The numbers of the picture as a table. */
function pools({ ports, requests }: TrialRecord, path: (string | number)[]): Html {
  const entries = Object.entries(ports).sort(([, a], [, b]) => b.peakShare - a.peakShare);
  const lostTo = requests.byCause.map((entry, index) => [
    html`<code>${placeOf(entry)}</code>`,
    counted(entry.count, [...path, 'requests', 'byCause', index, 'count']),
    share(requests.due === 0 ? null : entry.count / requests.due),
  ]);
  const late = requests.delayed.map((entry, index) => [
    html`late: <code>${placeOf(entry)}</code>`,
    counted(entry.count, [...path, 'requests', 'delayed', index, 'count']),
    share(requests.due === 0 ? null : entry.count / requests.due),
  ]);
  const losses = [...lostTo, ...late];
  return details(
    'These numbers as tables',
    table(
      'Ports in use at the peak, towards the busiest destination',
      [
        { head: 'Node' },
        { head: 'Peak, ports', isNumber: true },
        { head: 'Capacity, ports', isNumber: true },
        { head: 'Share', isNumber: true },
      ],
      entries.map(([node, { peak, capacity, peakShare }]) => [
        node,
        counted(peak, [...path, 'ports', node, 'peak']),
        counted(capacity, [...path, 'ports', node, 'capacity']),
        share(peakShare, [...path, 'ports', node, 'peakShare']),
      ]),
    ),
    losses.length > 0 &&
      table(
        'Requests lost or late, by cause',
        [
          { head: 'Cause and place' },
          { head: 'Requests', isNumber: true },
          { head: 'Share of those due', isNumber: true },
        ],
        losses,
      ),
  );
}
