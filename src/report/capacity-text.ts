/** The result of a search for capacity as text for a terminal: the curve, the number, what stands in the way of more, the need. */
import { curveOf } from '../analysis/capacity-curve.js';
import type { CapacityLimit, CapacityRecord, CapacityTrial } from '../record/capacity-record.js';
import type { LoadKind } from '../scenario/scale.js';
import { newPage, type Page } from './explain/lines.js';
import { count, latencyPair, ms, percent, placeOf, plural } from './format.js';
import { shellWord } from './shell-word.js';
import type { TerminalOptions } from './terminal.js';
import { visibleLength } from './wrap.js';

/** What a level counts, as a head of a column. */
const HEADS: Record<LoadKind, string> = { rate: 'offered/s', connections: 'connections', visitors: 'visitors' };

/** `984.4/s`, `500 connections`. */
export function levelText(of: LoadKind, level: number): string {
  const number = level.toLocaleString('en-US', { maximumFractionDigits: level < 10 ? 3 : level < 1000 ? 1 : 0 });
  return of === 'rate' ? `${number}/s` : `${number} ${level === 1 ? of.slice(0, -1) : of}`;
}

/** How one trial ended, in words. */
export function trialText({ outcome, requests, gates, reasons }: CapacityTrial): string {
  if (outcome === 'pass') return `holds (${plural(requests.completed, 'request')} completed)`;
  if (outcome === 'invalid') return `invalid: ${reasons[0]}`;
  const broken = gates.filter(({ pass }) => !pass).map(({ gate }) => gate);
  const [cause] = requests.byCause;
  return `fails ${broken.join(', ')} (${count(requests.dropped)} of ${count(requests.due)} dropped${cause === undefined ? '' : `, ${placeOf(cause)}`})`;
}

/** The whole text, with a line end at its end. */
export function renderCapacity(record: CapacityRecord, options: TerminalOptions): string {
  const page = newPage(options);
  const { colors } = page;
  const { scenario, variant, environment, driver, settings } = record;
  page.paragraph(`Capacity of ${scenario.name}${variant === 'default' ? '' : `, ${variant}`}`, 0, colors.bold);
  const machine = environment === null ? [] : [`kernel ${environment.kernel}`];
  page.paragraph(
    [driver, ...machine, `${settings.process} arrivals`, `seed ${scenario.seed}`].join(' · '),
    2,
    colors.dim,
  );
  page.paragraph(`gates: ${record.gates.join(', ')}`, 2, colors.dim);
  for (const { gate, why } of record.gatesLeftOut) page.point(colors.dim('·'), `without ${gate}: ${why}`, colors.dim);
  page.blank();
  curve(page, record);
  page.blank();
  result(page, record);
  if (record.limit !== null) limit(page, record, record.limit);
  for (const note of record.notes) {
    page.blank();
    page.point(colors.yellow('!'), note, colors.yellow);
  }
  headroom(page, record);
  page.blank();
  page.line(`  ${colors.dim(`search ${record.id}, ${plural(record.trials.length, 'trial')}`)}`);
  return page.text();
}

const BARS = '▁▂▃▄▅▆▇█';

/** A bar of each value, on a scale from the least to the most; in logarithms, for latencies leap by powers of ten. */
function bars(values: number[]): string[] {
  const logs = values.map((value) => Math.log(Math.max(value, 0.01)));
  const [least, most] = [Math.min(...logs), Math.max(...logs)];
  const step = (log: number) => (most === least ? 0 : Math.round(((log - least) / (most - least)) * (BARS.length - 1)));
  return logs.map((log) => BARS[step(log)]);
}

function curve(page: Page, record: CapacityRecord): void {
  const rows = curveOf(record.trials);
  if (rows.length === 0) {
    page.paragraph('No trial ran to its end.');
    return;
  }
  const { colors } = page;
  const isRate = record.of === 'rate';
  const spark = bars(rows.map(({ shown }) => shown.latency.response.p99));
  const marks = { pass: colors.green('holds'), fail: colors.red('fails'), invalid: colors.yellow('invalid') };
  const cells = rows.map(({ level, trials, shown }, index) => {
    const votes = trials.filter(({ outcome }) => outcome === shown.outcome).length;
    return [
      levelText(record.of, level).replace(/[/ ].*/, ''),
      marks[shown.outcome] + (trials.length === 1 ? '' : colors.dim(` ${votes} of ${trials.length}`)),
      isRate ? ms(shown.throughput.completedPerSecond) : count(shown.requests.completed),
      count(shown.requests.dropped),
      latencyPair(shown.latency.connect),
      latencyPair(shown.latency.response),
      spark[index],
    ];
  });
  const heads = [
    HEADS[record.of],
    'gates',
    isRate ? 'completed/s' : 'completed',
    'dropped',
    'connect ms',
    'response ms',
    'p99',
  ];
  for (const line of grid([heads, cells[0].map((_, index) => ([4, 5].includes(index) ? 'p50 / p99' : ''))], cells))
    page.line(`  ${line}`);
  const { knee, saturation } = record;
  if (saturation !== null) {
    page.blank();
    page.paragraph(`Whatever was offered, at most ${count(saturation)} requests a second completed.`);
  }
  if (knee !== null) {
    if (saturation === null) page.blank();
    page.paragraph(
      `Up to ${levelText(record.of, knee)} the response's p99 stays within twice that of the lowest level.`,
    );
  }
}

/** Columns, all but that of the gates flush right. */
function grid(heads: string[][], rows: string[][]): string[] {
  const lines = [...heads, ...rows];
  const widths = rows[0].map((_, index) => Math.max(...lines.map((line) => visibleLength(line[index]))));
  return lines.map((line) =>
    line
      .map((cell, index) => {
        const room = ' '.repeat(widths[index] - visibleLength(cell));
        return index === 1 ? cell + room : room + cell;
      })
      .join('   ')
      .trimEnd(),
  );
}

function result(
  page: Page,
  { of, capacity, failsAt, isAtLeast, isSure, end, status, limit: what }: CapacityRecord,
): void {
  const { colors } = page;
  const cut =
    status === 'interrupted'
      ? 'interrupted'
      : end === 'budget'
        ? 'the time was up'
        : end === 'trials'
          ? 'no trials were left'
          : '';
  const aside = [
    failsAt === null
      ? ''
      : what?.what === 'generator'
        ? `${levelText(of, failsAt)} could not be offered`
        : `fails at ${levelText(of, failsAt)}`,
    end === 'up-to' ? 'the highest level that was to be tried' : '',
    cut,
    isSure || capacity === null ? '' : 'not yet repeated often enough to be sure',
  ].filter((words) => words !== '');
  const number = capacity === null ? 'none is known' : `${isAtLeast ? 'at least ' : ''}${levelText(of, capacity)}`;
  page.line(`  ${colors.bold(`CAPACITY  ${number}`)}${aside.length === 0 ? '' : colors.dim(`  ${aside.join('; ')}`)}`);
  if (isAtLeast && what?.what === 'generator')
    page.paragraph('The generator was the limit, not the chain.', 2, colors.yellow);
}

function limit(
  page: Page,
  { of, scenario, variant }: CapacityRecord,
  { what, level, cause, at, says, advice }: CapacityLimit,
): void {
  const { colors } = page;
  page.blank();
  const place = cause === undefined ? '' : `${colors.red(colors.bold(`${cause}@${at}`))}  `;
  page.line(`  ${place}${colors.dim(`at ${levelText(of, level)}`)}`);
  page.paragraph(says, 4);
  if (what === 'generator') return;
  for (const one of advice) {
    page.point('·', one.do, undefined, 4);
    if (one.knob !== undefined)
      page.paragraph(one.value === undefined ? one.knob : `${one.knob}: ${one.value}`, 8, colors.green);
    if (one.because !== undefined) page.paragraph(one.because, 8, colors.dim);
  }
  const first = advice.find(({ knob, value }) => knob !== undefined && value !== undefined);
  if (first === undefined) return;
  const set = `${first.knob}=${first.value}`;
  const which = variant === 'default' ? '' : ` --variant ${shellWord(variant)}`;
  page.line(`    ${colors.dim(`$ portparty capacity ${shellWord(scenario.file)}${which} --set ${shellWord(set)}`)}`);
}

function headroom(page: Page, { of, need, headroom: more, verdict }: CapacityRecord): void {
  if (need === null) return;
  const { colors } = page;
  const needed = `the ${levelText(of, need)} needed`;
  const words: Record<CapacityRecord['verdict'], string> = {
    pass: `${colors.green(colors.bold('PASS'))}  ${needed}: carried, ${percent(more ?? 0)} to spare`,
    fail: `${colors.red(colors.bold('FAIL'))}  ${needed}: not carried${more === null ? '' : `, ${percent(-more)} short`}`,
    invalid: `${colors.yellow(colors.bold('INVALID'))}  ${needed}: too little could be measured to tell`,
    none: `${colors.yellow('?')}  ${needed}: not known yet`,
  };
  page.blank();
  page.line(`  ${words[verdict]}`);
}
