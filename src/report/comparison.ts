/** A comparison as text for a terminal: per pair what changed and how sure that is, then how it was found out. */
import pc from 'picocolors';
import type { Comparison, MetricComparison, MetricVerdict, PairComparison } from '../analysis/comparison/comparison.js';
import { methodOf } from './comparison-method.js';
import { changeWithInterval, confidenceLevel, interval, sideValue, signedChange } from './comparison-numbers.js';
import { count, list, NOTHING, plural } from './format.js';
import { grid, INDENT } from './grid.js';
import { type Colors, hanging, type TerminalOptions } from './terminal.js';
import { visibleLength, wrap } from './wrap.js';

const WORDS: Record<MetricVerdict, string> = {
  better: 'better',
  worse: 'worse',
  higher: 'higher',
  lower: 'lower',
  'no-difference': 'no difference',
  'too-few-trials': 'too few trials',
  same: 'the same',
  'not-measured': 'not measured',
};
/** More trials than this are told as such. */
const MOST_TOLD = 1000;
/** Columns of a metric's name that a narrow table has room for. */
const LONG_NAME = 28;

/** The whole report, with a line end at its end. */
export function renderComparison(comparison: Comparison, options: TerminalOptions): string {
  const colors = pc.createColors(options.color);
  const width = Math.max(options.width, 40);
  const marks = comparison.marks.map(({ text, refused }) =>
    hanging(colors.yellow('!'), refused ? `forced: ${text}` : text, width, colors.yellow),
  );
  const blocks = [
    title(comparison, colors, width),
    marks.join('\n'),
    ...comparison.pairs.map((pair) => pairBlock(pair, comparison, colors, width)),
    hanging(colors.dim('·'), methodOf(comparison), width, colors.dim),
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function title({ scenario, pairs: [{ base, other }] }: Comparison, colors: Colors, width: number): string {
  const runs = base.run === other.run ? `run ${base.run}` : `second run ${other.run} against first run ${base.run}`;
  return [colors.bold(scenario), ...wrap(runs, width - INDENT.length).map((line) => INDENT + colors.dim(line))].join(
    '\n',
  );
}

function pairBlock(pair: PairComparison, comparison: Comparison, colors: Colors, width: number): string {
  const shown = pair.metrics.filter(({ verdict }) => verdict !== 'same' && verdict !== 'not-measured');
  return [
    heading(pair, colors, width),
    ...(shown.length === 0 ? [] : ['', table(pair, shown, comparison.confidence, colors, width)]),
    '',
    [...leftOut(pair), ...sentences(pair, comparison)].map((text) => paragraph(text, width)).join('\n'),
  ].join('\n');
}

function heading({ base, other, trials, paired }: PairComparison, colors: Colors, width: number): string {
  const names =
    base.run === other.run
      ? `${colors.bold(other.variant)} against ${colors.bold(base.variant)}`
      : `${colors.bold(other.variant)}, second run against first`;
  const how =
    trials.base === trials.other
      ? `${plural(trials.base, 'trial')} each`
      : `${plural(trials.other, 'trial')} against ${count(trials.base)}`;
  const facts = `${how}, ${paired ? 'paired by their number' : 'not paired'}`;
  return [...wrap(names, width - INDENT.length), ...wrap(facts, width - INDENT.length).map(colors.dim)]
    .map((line) => INDENT + line)
    .join('\n');
}

/** Everything in a line where it fits; else numbers below each other; else a list. */
function table(
  pair: PairComparison,
  metrics: MetricComparison[],
  confidence: number,
  colors: Colors,
  width: number,
): string {
  const level = `${confidenceLevel(confidence)} interval`;
  const [base, other] =
    pair.base.run === pair.other.run ? [pair.base.variant, pair.other.variant] : ['first', 'second'];
  const right = (head: string) => ({ head: colors.dim(head), align: 'right' as const });
  const left = (head: string) => ({ head: colors.dim(head), align: 'left' as const });
  const wide = grid(
    [left('metric'), right(base), right(other), right('change'), left(level), left('verdict'), right('trials\nneeded')],
    metrics.map((metric) => [
      metric.metric,
      sideValue(metric.base, metric),
      sideValue(metric.other, metric),
      signedChange(metric),
      interval(metric),
      verdict(metric, colors),
      needed(metric),
    ]),
    2,
  );
  if (fits(wide, width)) return wide;
  const narrow = grid(
    [left('metric'), left(`${base} → ${other}\nchange (${level})`), left('verdict')],
    metrics.map((metric) => [
      nameInLines(metric.metric),
      `${sideValue(metric.base, metric)} → ${sideValue(metric.other, metric)}\n${changeWithInterval(metric)}`,
      [verdict(metric, colors), ...neededWords(metric).map((text) => colors.dim(text))].join('\n'),
    ]),
    2,
  );
  if (fits(narrow, width)) return narrow;
  return metrics
    .map((metric) => {
      const lines = [
        `${INDENT}${metric.metric}: ${verdict(metric, colors)}`,
        ...[`${sideValue(metric.base, metric)} → ${sideValue(metric.other, metric)}`, changeWithInterval(metric)],
        ...neededWords(metric),
      ];
      return lines.map((line, index) => (index === 0 ? line : `${INDENT.repeat(2)}${line}`)).join('\n');
    })
    .join('\n');
}

/** A long name breaks before its node. */
function nameInLines(name: string): string {
  return name.length > LONG_NAME ? name.replace('@', '\n  @') : name;
}

function verdict({ verdict: one }: MetricComparison, colors: Colors): string {
  if (one === 'better') return colors.green(WORDS[one]);
  if (one === 'worse') return colors.red(WORDS[one]);
  return one === 'higher' || one === 'lower' ? colors.cyan(WORDS[one]) : colors.dim(WORDS[one]);
}

/** Only where a verdict is missing are more trials a question. */
function needed({ verdict: one, trialsNeeded }: MetricComparison): string {
  if ((one !== 'no-difference' && one !== 'too-few-trials') || trialsNeeded === null) return NOTHING;
  return trialsNeeded > MOST_TOLD ? `> ${count(MOST_TOLD)}` : count(trialsNeeded);
}

function neededWords(metric: MetricComparison): string[] {
  const trials = needed(metric);
  return trials === NOTHING ? [] : [`needs ${trials}`];
}

/** Metrics that have no row. */
function leftOut({ metrics }: PairComparison): string[] {
  const names = (wanted: MetricVerdict) =>
    metrics.filter(({ verdict }) => verdict === wanted).map(({ metric }) => metric);
  const [same, missing] = [names('same'), names('not-measured')];
  return [
    ...(same.length === 0 ? [] : [`The same in every trial: ${same.join(', ')}.`]),
    ...(missing.length === 0 ? [] : [`Not in every trial, so not compared: ${missing.join(', ')}.`]),
  ];
}

function sentences(pair: PairComparison, { confidence, metricsTested }: Comparison): string[] {
  const names = (wanted: MetricVerdict) => pair.metrics.filter(({ verdict }) => verdict === wanted);
  const parts = (['better', 'worse', 'higher', 'lower'] as const)
    .map((wanted) => ({ wanted, of: names(wanted).length }))
    .filter(({ of }) => of > 0)
    .map(({ wanted, of }) => `${WORDS[wanted]} in ${plural(of, 'metric')}`);
  const name = pair.base.run === pair.other.run ? pair.other.variant : `${pair.other.variant} of the second run`;
  const trials = Math.min(pair.trials.base, pair.trials.other);
  const unsaid = names('no-difference').length;
  const said = [
    ...(parts.length === 0 ? [] : [`${name} is ${list(parts)}.`]),
    ...(unsaid === 0
      ? []
      : [
          `${parts.length === 0 ? `${name}: no` : 'No'} difference that ${plural(trials, 'trial')} can show in ${plural(unsaid, 'metric')}.`,
        ]),
    ...(names('too-few-trials').length === 0
      ? []
      : [
          `${plural(trials, 'trial')} cannot show any difference at ${confidenceLevel(confidence)} over ${plural(metricsTested, 'metric')}, however large: ` +
            `it takes ${count(pair.trialsToShowAnything)} (portparty run --trials ${pair.trialsToShowAnything})` +
            `${metricsTested > 1 ? ', or fewer for fewer metrics (--metric)' : ''}.`,
        ]),
  ];
  return [...said, ...survivors(pair)];
}

/** Latencies are those of requests that got through; where one setting loses more of them, they are not of the same requests. */
function survivors(pair: PairComparison): string[] {
  const latencies = pair.metrics.some(
    ({ metric, verdict }) => metric.startsWith('latency.') && verdict !== 'same' && verdict !== 'not-measured',
  );
  return latencies && pair.dropped.base + pair.dropped.other > 0
    ? ['Latencies count only requests that got through: where some are lost, it is not the same ones.']
    : [];
}

function fits(text: string, width: number): boolean {
  return text.split('\n').every((line) => visibleLength(line) <= width);
}

function paragraph(text: string, width: number): string {
  return wrap(text, width - INDENT.length)
    .map((line) => INDENT + line)
    .join('\n');
}
