/** What a gate compares with: a number in the metric's unit, or the baseline with a margin. */
import type { GateExpression, GateMetric, GateUnit, Margin, Operator } from './gate-expression.js';
import { GateSyntaxError } from './gate-syntax-error.js';
import { nearest } from './nearest.js';

const MS_PER: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A part of the gate's text and the 1-based column where it begins. */
interface Part<Text extends string = string> {
  text: Text;
  column: number;
}

/**
 * Reads what stands behind the operator, and gives the whole gate.
 * @throws GateSyntaxError with the column of the first thing that is wrong
 */
export function readBound(metric: GateMetric, operator: Part<Operator>, text: string, column: number): GateExpression {
  const word = /^[A-Za-z]+/.exec(text)?.[0];
  if (word === undefined) {
    const { units, need } = unitOf(metric);
    const { value, unit, suffix } = readNumber({ text, column }, need);
    if (!units.includes(unit) || suffix === 'pp') throw new GateSyntaxError(need, column);
    if (unit === 'share' && value > 1) throw new GateSyntaxError(`${text} is more than 100%`, column);
    return { metric, operator: operator.text, value, unit };
  }
  if (word !== 'baseline' && nearest(word, ['baseline']) !== undefined)
    throw new GateSyntaxError(`"${word}" is not a value`, column, 'did you mean baseline?');
  if (word !== 'baseline') throw new GateSyntaxError(`"${text}" is not a value`, column, unitOf(metric).need);
  if (operator.text === '!=')
    throw new GateSyntaxError('another number than the baseline is no promise', operator.column, 'write <= or >=');
  const marginAt = word.length + text.slice(word.length).search(/\S|$/);
  const margin = { text: text.slice(marginAt), column: column + marginAt };
  if (margin.text !== '' && operator.text === '==')
    throw new GateSyntaxError(
      '== with a margin says no side',
      margin.column,
      'write <= baseline + … or >= baseline - …',
    );
  return { metric, operator: operator.text, ...readMargin(metric, margin) };
}

/** The units that a metric is written in, and how to say so when one is missing. */
function unitOf(metric: GateMetric): { units: GateUnit[]; need: string } {
  switch (metric.kind) {
    case 'latency':
      return { units: ['ms'], need: 'latencies need a unit: 250ms' };
    case 'droppedShare':
      return { units: ['share'], need: 'droppedShare needs a share: 1%' };
    case 'throughput':
      return { units: ['per-second'], need: 'throughput needs a rate: 900/s' };
    case 'ports':
      return { units: ['count', 'share'], need: 'ports are a count or a share: 400 or 80%' };
    default:
      return { units: ['count'], need: `${metric.kind} is a count: a bare number` };
  }
}

/** What a margin may be; behind % it is a share of the baseline, whatever the metric. */
function marginForm(metric: GateMetric): string {
  switch (metric.kind) {
    case 'latency':
      return 'a margin of a latency is 10% of the baseline, or a time: 5ms';
    case 'droppedShare':
      return 'a margin of a share is 10% of the baseline, or percentage points: 0.5pp';
    case 'throughput':
      return 'a margin of a throughput is 10% of the baseline, or a rate: 20/s';
    case 'ports':
      return 'a margin of ports is 10% of the baseline, a count: 20, or percentage points: 5pp';
    default:
      return 'a margin of a count is 10% of the baseline, or a bare number: 20';
  }
}

function readMargin(metric: GateMetric, { text, column }: Part): { unit: GateUnit; margin: Margin } {
  const [ownUnit] = unitOf(metric).units;
  if (text === '') return { unit: ownUnit, margin: { amount: 0 } };
  const need = marginForm(metric);
  const sign = text[0] === '+' ? 1 : text[0] === '-' ? -1 : undefined;
  if (sign === undefined)
    throw new GateSyntaxError(`expected + or - behind baseline, not "${text}"`, column, 'as in baseline + 10%');
  const amountAt = 1 + text.slice(1).search(/\S|$/);
  const part = { text: text.slice(amountAt), column: column + amountAt };
  const { value, unit, suffix } = readNumber(part, need);
  if (suffix === '%') {
    if (sign < 0 && value > 1) throw new GateSyntaxError('that leaves less than nothing of the baseline', part.column);
    return { unit: ownUnit, margin: { share: sign * value } };
  }
  if (!unitOf(metric).units.includes(unit)) throw new GateSyntaxError(need, part.column);
  return { unit, margin: { amount: sign * value } };
}

function readNumber({ text, column }: Part, need: string): { value: number; unit: GateUnit; suffix: string } {
  if (text === '') throw new GateSyntaxError('a value is missing', column, need);
  if (text.startsWith('-')) throw new GateSyntaxError('a gate compares with 0 or more', column);
  const match = /^(\d+(?:\.\d+)?)\s*(%|(?:pp|us|ms|s|m|h)\b|\/\s*[sm]\b)?(.*)$/s.exec(text);
  if (!match) throw new GateSyntaxError(`"${text}" is not a value`, column, need);
  const [, digits, suffix = '', rest] = match;
  if (rest !== '') {
    const restAt = column + text.length - rest.trimStart().length;
    const known = suffix === '' ? `no unit "${rest.trim()}"` : `unexpected "${rest.trim()}" behind the value`;
    throw new GateSyntaxError(known, restAt, suffix === '' ? need : 'one comparison per gate; write two gates');
  }
  const { value, unit } = inUnit(Number(digits), suffix);
  return { value, unit, suffix };
}

function inUnit(number: number, suffix: string): { value: number; unit: GateUnit } {
  if (suffix === '') return { value: number, unit: 'count' };
  // 0.7 / 100 is 0.006999… in binary, and 7 of 1000 must equal 0.7%.
  if (suffix === '%' || suffix === 'pp') return { value: Number((number / 100).toPrecision(12)), unit: 'share' };
  if (suffix.startsWith('/')) return { value: suffix.endsWith('m') ? number / 60 : number, unit: 'per-second' };
  return { value: number * MS_PER[suffix], unit: 'ms' };
}
