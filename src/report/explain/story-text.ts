/** The story of a run for people: per variant what ran out, when, how full it was, who suffered, what followed, what would help. */
import type { Chapter } from '../../analysis/chapter.js';
import type { Story } from '../../analysis/story.js';
import { CAUSES } from '../../ledger/causes.js';
import type { RunRecord } from '../../record/run-record.js';
import { roughSecondsOfMs } from '../../seconds.js';
import { BECAUSE } from '../difference.js';
import { count, list, percent, plural } from '../format.js';
import { shellWord } from '../shell-word.js';
import type { TerminalOptions } from '../terminal.js';
import { newPage, type Page } from './lines.js';

/** A variant's story, and what of its other trials. */
export interface ToldStory {
  story: Story;
  /** Trials of this variant that the record has. */
  trials: number;
}

/** The whole text, with a line end at its end. */
export function renderStories(
  record: RunRecord,
  told: ToldStory[],
  missing: string[],
  options: TerminalOptions,
): string {
  const page = newPage(options);
  const { colors } = page;
  page.paragraph(`What happened in ${record.scenario.name}`, 0, colors.bold);
  page.paragraph(`run ${record.id}`, 2, colors.dim);
  for (const sentence of missing) page.point(colors.yellow('!'), sentence, colors.yellow);
  for (const one of told) {
    page.blank();
    tell(page, record, one, told.length === 1 && record.variants.length <= 1);
  }
  const [example] = told.flatMap(({ story }) => story.chapters.map((chapter) => chapter.example));
  page.blank();
  page.line(
    colors.dim(
      example === undefined
        ? 'One request hop by hop:  portparty explain --request ID'
        : `One of them hop by hop:  portparty explain --request ${example} ${record.id}`,
    ),
  );
  return page.text();
}

function tell(page: Page, record: RunRecord, { story, trials }: ToldStory, isAlone: boolean): void {
  const { colors } = page;
  const name = isAlone && story.variant === 'default' ? 'The run' : story.variant;
  page.paragraph(
    `${name} ${opening(story)}`,
    0,
    story.chapters.some(({ lost, wake }) => lost + wake.length > 0) ? colors.bold : undefined,
  );
  if (trials > 1)
    page.paragraph(`This is trial ${story.trial} of ${trials}; --trial N tells another one.`, 2, colors.dim);
  happenings(page, story);
  story.chapters.forEach((chapter, index) => {
    page.blank();
    chapterText(page, record, story, chapter, story.chapters.length > 1 ? `${index + 1}. ` : '');
  });
  retries(page, story);
}

function opening({ requests, visitors, isWhole, fullest, chapters }: Story): string {
  const { due, dropped, late, underWay } = requests;
  if (!isWhole)
    return `was cut short: of ${plural(due, 'request')} that had come due ${count(dropped)} were lost and ${count(underWay)} were under way.`;
  const lateOnes = late === 0 ? '' : `; ${count(late)} more came late`;
  if (dropped === 0) {
    const pool =
      fullest === undefined || fullest.capacity === 0
        ? ''
        : ` The fullest pool was that of ${fullest.node}: ${count(fullest.peak)} of ${count(fullest.capacity)} ports (${percent(fullest.peak / fullest.capacity)}).`;
    return `lost nothing: ${due === 1 ? 'the request' : `all ${plural(due, 'request')}`} completed${late === 0 ? '' : `, ${count(late)} of them late`}.${chapters.length === 0 ? pool : ''}`;
  }
  return `lost ${count(dropped)} of ${plural(due, 'request')} (${percent(dropped / due)})${lateOnes}. ${count(visitors.turnedAway)} of ${plural(visitors.arrived, 'visitor')} ${visitors.turnedAway === 1 ? 'was' : 'were'} turned away.`;
}

function happenings(page: Page, { events }: Story): void {
  for (const { timeMs, event, outcome } of events) {
    const how = outcome === undefined || outcome === 'done' ? '' : ` (${outcome})`;
    page.point(
      page.colors.yellow('⚡'),
      `${timeMs === null ? 'never' : `at ${roughSecondsOfMs(timeMs)}`}: ${event}${how}`,
    );
  }
}

const BODY = 4;

function chapterText(page: Page, record: RunRecord, story: Story, chapter: Chapter, number: string): void {
  const { colors } = page;
  const { cause, at, lost, wake, late } = chapter;
  const parts = [
    ...(lost > 0 ? [`${count(lost)} lost`] : []),
    ...wake.map((after) => `${count(after.count)} lost in its wake`),
    ...(late > 0 ? [`${count(late)} late`] : []),
  ];
  page.line(`  ${number}${colors.red(colors.bold(`${cause}@${at}`))}${colors.dim(`  ${parts.join(', ')}`)}`);
  page.paragraph(whatRanOut(chapter), BODY);
  page.paragraph(whenText(chapter), BODY);
  for (const after of wake) page.paragraph(wakeText(story, chapter, after), BODY);
  if (chapter.lost + chapter.wake.length > 0) page.paragraph(suffered(chapter), BODY);
  if (chapter.lateByMs !== undefined)
    page.paragraph(
      `${plural(late, 'request')} completed only after a repeated SYN: ${roughSecondsOfMs(chapter.lateByMs.median)} until the handshake was done (median), ${roughSecondsOfMs(chapter.lateByMs.longest)} at most.`,
      BODY,
    );
  help(page, record, story, chapter);
}

/** The sentence that a chapter begins with: what ran out, where, how full it was and when. */
export function whatRanOut(chapter: Chapter): string {
  const { cause, at } = chapter;
  return `${BECAUSE[cause]?.(at) ?? `${cause} at ${at}`}${fullness(chapter)}.`;
}

function fullness({ pool, cause, at }: Chapter): string {
  if (pool === undefined) return `: ${CAUSES[cause]?.means ?? cause}`;
  const { peak, capacity, fullFromMs, fullToMs, timeWaitShare, towards } = pool;
  const of = peak >= capacity ? `all ${count(capacity)}` : `${count(peak)} of ${count(capacity)}`;
  const when =
    fullFromMs === null || fullToMs === null
      ? 'at the peak'
      : fullToMs > fullFromMs
        ? `from ${roughSecondsOfMs(fullFromMs)} to ${roughSecondsOfMs(fullToMs)} into the run`
        : `${roughSecondsOfMs(fullFromMs)} into the run`;
  const waiting =
    timeWaitShare < 0.1 ? '' : `; ${percent(Math.round(timeWaitShare * 100) / 100)} of them only lay in TIME_WAIT`;
  const small =
    peak < capacity && at !== ''
      ? ' (the kernel gives up its search before a big pool is quite full, and samples miss short peaks)'
      : '';
  return `: ${of} towards ${towards} were in use ${when}${waiting}${small}`;
}

function whenText({ firstMs, lastMs, lost, wake }: Chapter): string {
  const what = lost + wake.length > 0 ? 'request that was lost' : 'request that came late';
  if (lastMs - firstMs < 10) return `The ${what} was sent ${roughSecondsOfMs(firstMs)} into the run.`;
  return `The first ${what} was sent ${roughSecondsOfMs(firstMs)} into the run, the last one at ${roughSecondsOfMs(lastMs)}.`;
}

/** The aftershock, told from the quake. */
function wakeText({ aftershocks }: Story, quake: Chapter, after: Chapter['wake'][number]): string {
  const times = aftershocks.filter(
    (one) => one.at === after.at && one.because?.cause === quake.cause && one.because.at === quake.at,
  );
  const began = times.map(
    ({ beganMs, lastedMs, count: lost }) =>
      `from ${roughSecondsOfMs(beganMs)} on, for ${roughSecondsOfMs(lastedMs)} (${plural(lost, 'request')})`,
  );
  const some =
    began.length > MOST_TIMES
      ? [...began.slice(0, MOST_TIMES), `${count(began.length - MOST_TIMES)} times more`]
      : began;
  const when = some.length === 0 ? '' : ` ${list(some)}`;
  if (after.cause !== 'backend-held-down')
    return `In its wake ${plural(after.count, 'request')} ended as ${after.cause}@${after.at}.`;
  return `Its aftershock: after that failure ${after.at} held its backends down${when}. So ${plural(after.count, 'request')} more ${after.count === 1 ? 'was' : 'were'} refused without a try; ports or not, nothing was asked for. Statistics of ${after.at} name the aftershock, not the quake.`;
}

const MOST_TIMES = 3;
const MOST_CLIENTS = 4;

function suffered({ visitors, byClient, byStep }: Chapter): string {
  const shares = (counts: Record<string, number>) => {
    const sorted = Object.entries(counts).sort(([, a], [, b]) => b - a);
    const more = sorted.length - MOST_CLIENTS;
    const named = sorted.slice(0, MOST_CLIENTS).map(([name, value]) => `${name} ${count(value)}`);
    return list(more > 0 ? [...named, `${count(more)} more`] : named);
  };
  return `It struck ${plural(visitors, 'visitor')}: by client host ${shares(byClient)}; by step ${shares(byStep)}.`;
}

function help(page: Page, record: RunRecord, { variant }: Story, { advice }: Chapter): void {
  const { colors } = page;
  if (advice.length === 0) return;
  page.blank();
  page.line(`${' '.repeat(BODY)}${colors.bold('What would help')}`);
  for (const one of advice) {
    page.point('·', one.do, undefined, BODY);
    if (one.knob !== undefined && one.value !== undefined)
      page.paragraph(`${one.knob}: ${one.value}`, BODY + 4, colors.green);
    else if (one.knob !== undefined) page.paragraph(one.knob, BODY + 4, colors.green);
    if (one.because !== undefined) page.paragraph(one.because, BODY + 4, colors.dim);
  }
  const first = advice.find((one) => one.knob !== undefined && one.value !== undefined);
  if (first === undefined) return;
  // In one piece, to be copied.
  page.line(
    ' '.repeat(BODY) +
      colors.dim(
        `$ portparty run ${shellWord(record.scenario.file)} --variant ${shellWord(variant)} --set ${shellWord(`${first.knob}=${first.value}`)}`,
      ),
  );
}

/** From so many tries a request on it is a storm. */
const STORM = 1.2;

function retries(page: Page, { retries: again, requests }: Story): void {
  const { colors } = page;
  const proxies = Object.entries(again.proxies).filter(([, { tries, requests: asked }]) => tries > asked);
  if (again.further === 0 && proxies.length === 0) return;
  page.blank();
  const isStorm = again.perRequest >= STORM || proxies.some(([, { tries, requests: asked }]) => tries / asked >= STORM);
  page.line(`  ${colors.bold(isStorm ? 'Retries: a storm' : 'Retries')}`);
  if (again.further > 0)
    page.paragraph(
      `Visitors tried ${plural(again.requests, 'request')} again, ${plural(again.further, 'further try', 'further tries')} in all: ${count(requests.due + again.further)} tries for ${count(requests.due)} requests, ${Number(again.perRequest.toFixed(2))} each. ${count(again.rescued)} of them completed in the end, ${count(again.lost)} were lost all the same.`,
      BODY,
    );
  for (const [node, { requests: asked, tries, failed }] of proxies)
    page.paragraph(
      `${node} tried its backends ${count(tries)} times for ${plural(asked, 'request')} (${Number((tries / asked).toFixed(2))} each); ${count(failed)} tries failed.`,
      BODY,
    );
}
