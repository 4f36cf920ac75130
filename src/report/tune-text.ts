/** A tuning as text for a terminal: each setting that was tried with its effect, the best one, and what is left to lose. */
import pc from 'picocolors';
import type { MetricVerdict } from '../analysis/comparison/comparison.js';
import { textsOf } from '../analysis/tune-candidates.js';
import type { TriedSetting, TuneVerdict } from '../analysis/tune-verdict.js';
import type { TuneRecord } from '../record/tune-record.js';
import { confidenceLevel, interval, sideValue, signedChange } from './comparison-numbers.js';
import { count, ms, percent, plural } from './format.js';
import { grid, INDENT } from './grid.js';
import { type Colors, hanging, type TerminalOptions } from './terminal.js';
import { visibleLength, wrap } from './wrap.js';

const WORDS: Record<MetricVerdict, string> = {
  better: 'helps',
  worse: 'harms',
  higher: 'more',
  lower: 'less',
  'no-difference': 'no difference shown',
  'too-few-trials': 'too few trials to tell',
  same: 'changes nothing',
  'not-measured': 'not measured',
};

/** The whole report, with a line end at its end. */
export function renderTune(record: TuneRecord, options: TerminalOptions): string {
  const colors = pc.createColors(options.color);
  const width = Math.max(options.width, 40);
  const blocks = [
    heading(record, colors, width),
    record.result === null ? '' : table(record, record.result, colors, width),
    record.leftOut
      .map(({ setting, why }) => hanging(colors.yellow('!'), `left out: ${setting} (${why})`, width, colors.yellow))
      .join('\n'),
    invalid(record, colors, width),
    conclusion(record, colors, width),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function heading({ scenario, variant, driver, result }: TuneRecord, colors: Colors, width: number): string {
  const trials = result?.tried[0]?.effect.base.values.length;
  const facts = [
    `variant ${variant}`,
    driver,
    `seed ${scenario.seed}`,
    ...(trials === undefined ? [] : [`${plural(trials, 'trial')} each, in turn; numbers are means of a trial`]),
  ].join(' · ');
  return [
    colors.bold(scenario.name),
    ...wrap(facts, width - INDENT.length).map((line) => INDENT + colors.dim(line)),
  ].join('\n');
}

function table({ variant }: TuneRecord, result: TuneVerdict, colors: Colors, width: number): string {
  const { metric, base, tried, winner, confidence } = result;
  if (tried.length === 0) return '';
  const level = `${confidenceLevel(confidence)} interval`;
  const withP99 = !metric.startsWith('latency.response.');
  const p99 = ({ responseP99Ms }: Pick<TriedSetting, 'responseP99Ms'>) => (withP99 ? [ms(responseP99Ms)] : []);
  const name = (one: TriedSetting) =>
    one.name === winner ? colors.bold(textsOf(one).join('\n')) : textsOf(one).join('\n');
  const verdictWords = (one: TriedSetting) => {
    const { verdict } = one.effect;
    const paint = verdict === 'better' ? colors.green : verdict === 'worse' ? colors.red : colors.dim;
    const mark = one.validity.valid ? '' : colors.yellow(' !');
    return `${one.name === winner ? colors.green('★ ') : '  '}${paint(WORDS[verdict])}${mark}`;
  };
  const wide = [
    [variant, sideValue(tried[0].effect.base, tried[0].effect), '', '', ...p99(base), ''],
    ...tried.map((one) => [
      name(one),
      sideValue(one.effect.other, one.effect),
      signedChange(one.effect),
      interval(one.effect),
      ...p99(one),
      verdictWords(one),
    ]),
  ];
  const heads = ['setting', metric, 'change', level, ...(withP99 ? ['response\np99 ms'] : []), ''];
  const columns = heads.map((head, index) => ({
    head: colors.dim(head),
    align: index === 0 || index === heads.length - 1 ? ('left' as const) : ('right' as const),
  }));
  const text = grid(columns, wide, 2);
  if (text.split('\n').every((line) => visibleLength(line) <= width)) return text;
  return tried
    .map((one) => {
      const { effect } = one;
      const change = `${sideValue(effect.base, effect)} → ${sideValue(effect.other, effect)} ${metric}, ${signedChange(effect)}`;
      return `${INDENT}${textsOf(one).join(' ')}\n${INDENT.repeat(2)}${change}\n${INDENT}${verdictWords(one)}`;
    })
    .join('\n');
}

function invalid({ variant, result }: TuneRecord, colors: Colors, width: number): string {
  if (result === null) return '';
  return [{ name: variant, validity: result.base.validity }, ...result.tried]
    .flatMap(({ name, validity }) => validity.reasons.map((reason) => `${name}: ${reason}`))
    .map((text) => hanging(colors.yellow('!'), text, width, colors.yellow))
    .join('\n');
}

function conclusion(record: TuneRecord, colors: Colors, width: number): string {
  const { result, status, lost, verdict, variant } = record;
  const say = (mark: string, text: string) => hanging(mark, text, width, (line) => line);
  if (status === 'interrupted') return say(colors.yellow('!'), 'Interrupted: what ran to its end is kept.');
  if (result === null) {
    if (lost === 0)
      return say(
        colors.green('✓'),
        `${variant} loses nothing, so there is nothing to mend. --try names settings of your own.`,
      );
    return say(
      colors.red('✗'),
      `Nothing is known against what is lost (portparty explain tells it). --try names settings of your own.`,
    );
  }
  if (verdict === 'invalid') return say(colors.yellow('!'), 'The measurement is invalid: nothing is proved by it.');
  const best = result.tried.find(({ name }) => name === result.winner);
  if (best === undefined)
    return say(colors.red('✗'), `None of them was shown to help with ${result.metric}.${moreTrials(result)}`);
  const left = best.dropped === 0 ? '' : ` It still loses ${remains(best)}: tune again with ${setOptions(best)}.`;
  const why = best.because === undefined ? '' : ` (${best.because})`;
  return say(colors.green('★'), `${textsOf(best).join(' ')} helps most${why}.${left}`);
}

function remains({ dropped, due, lostTo: [first] }: TriedSetting): string {
  const cause = first === undefined ? '' : `, most of it to ${first.cause}@${first.at}`;
  return `${count(dropped)} of ${plural(due, 'request')} (${percent(dropped / due)})${cause}`;
}

function setOptions(best: TriedSetting): string {
  return textsOf(best)
    .map((text) => `--set '${text}'`)
    .join(' ');
}

function moreTrials({ tried }: TuneVerdict): string {
  const needed = tried.flatMap(({ effect }) => effect.trialsNeeded ?? []);
  if (needed.length === 0) return '';
  const least = Math.min(...needed);
  return least > 1000 ? '' : ` Differences as large as those seen need ${count(least)} trials or more to be shown.`;
}
