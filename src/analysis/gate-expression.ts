/** The language of gates: `dropped.ports-exhausted@edge == 0`, `latency.response.p99 < 250ms`, as a parsed value (docs/gates.md). */
import { CAUSE_NAMES, type Cause } from '../ledger/causes.js';
import { GateSyntaxError } from './gate-syntax-error.js';
import { readBound } from './gate-value.js';
import { nearest } from './nearest.js';

export { GateSyntaxError };

/** The percentiles and moments of a latency that a gate can name. */
export const LATENCY_STATS = ['p50', 'p90', 'p99', 'p999', 'max', 'mean'] as const;
/** Last word of a latency in a gate: `p99` of `latency.response.p99`. */
export type LatencyStat = (typeof LATENCY_STATS)[number];

/** The numbers of an attack that a gate can name; `found` and `open` count what the attack has laid open. */
export const ATTACK_NUMBERS = [
  'attempts',
  'connected',
  'refused',
  'unanswered',
  'cut',
  'held',
  'open',
  'found',
] as const;
/** Last word of an attack in a gate: `found` of `attack.mallory.found`. */
export type AttackNumber = (typeof ATTACK_NUMBERS)[number];

/** The comparison operators, longest first so that `<=` is not read as `<`. */
export const OPERATORS = ['==', '!=', '<=', '>=', '<', '>'] as const;
/** A gate's comparison, as it is written. */
export type Operator = (typeof OPERATORS)[number];

/** What a gate looks at. `at` and `node` are names of nodes. */
export type GateMetric =
  | { kind: 'dropped' | 'delayed'; cause?: Cause; at?: string }
  /** The cause itself, and all that happened because of it. */
  | { kind: 'rooted'; cause: Cause; at?: string }
  | { kind: 'droppedShare' | 'completed' | 'due' | 'attempts' | 'tickets.sold' | 'throughput' }
  | { kind: 'latency'; which: 'connect' | 'response'; stat: LatencyStat }
  /** What an attacker did and got. */
  | { kind: 'attack'; node: string; what: AttackNumber }
  /** Peak of the ports in use towards the node's busiest destination. */
  | { kind: 'ports'; node: string };

/** A gate's unit; a share goes from 0 to 1. */
export type GateUnit = 'count' | 'share' | 'ms' | 'per-second';

/** A parsed gate with a number: it holds when `metric operator value` is true. */
export interface AbsoluteGate {
  metric: GateMetric;
  operator: Operator;
  /** In `unit`. */
  value: number;
  unit: GateUnit;
}

/** How far from the baseline the bound lies: a share of the baseline's own value, or an amount in the gate's unit. Below it when negative. */
export type Margin = { share: number } | { amount: number };

/** A parsed gate on what a baseline measured: `metric operator baseline ± margin`. */
export interface RelativeGate {
  metric: GateMetric;
  operator: Exclude<Operator, '!='>;
  unit: GateUnit;
  margin: Margin;
}

/** A parsed gate. */
export type GateExpression = AbsoluteGate | RelativeGate;

const METRIC_FORMS = [
  'dropped',
  'rooted',
  'delayed',
  'droppedShare',
  'completed',
  'due',
  'attempts',
  'tickets.sold',
  'throughput',
  'latency',
  'ports',
  'attack',
];
const NODE_NAME = /^[A-Za-z_][\w-]*$/;

/**
 * Reads one gate: `<metric> <operator> <value>`, or `<metric> <operator> baseline`, with `+ <margin>` or `- <margin>` behind it.
 * @throws GateSyntaxError with the column of the first thing that is wrong
 */
export function parseGate(text: string): GateExpression {
  const start = text.search(/\S/);
  if (start === -1) throw new GateSyntaxError('the gate is empty', 1, 'write it like "dropped == 0"');
  const metricText = /^[^\s=!<>≤≥]*/.exec(text.slice(start))![0];
  const metric = readMetric(metricText, start + 1);
  const operatorAt = skipSpace(text, start + metricText.length);
  const operator = readOperator(text, operatorAt);
  const valueAt = skipSpace(text, operatorAt + operator.length);
  return readBound(metric, { text: operator, column: operatorAt + 1 }, text.slice(valueAt).trimEnd(), valueAt + 1);
}

/** Whether a gate is held against a baseline. */
export function isRelative(expression: GateExpression): expression is RelativeGate {
  return 'margin' in expression;
}

/**
 * Reads a metric that stands alone, as a gate would name it.
 * @throws GateSyntaxError with the column of the first thing that is wrong
 */
export function parseMetric(text: string): GateMetric {
  return readMetric(text, 1);
}

/** The nodes that a gate names, so that the scenario's loader can check them. */
export function nodesNamed({ metric }: Pick<GateExpression, 'metric'>): string[] {
  if (metric.kind === 'ports' || metric.kind === 'attack') return [metric.node];
  return 'at' in metric && metric.at !== undefined ? [metric.at] : [];
}

function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && /\s/.test(text[at])) at++;
  return at;
}

function readMetric(text: string, column: number): GateMetric {
  if (text === '')
    throw new GateSyntaxError('a gate starts with a metric', column, `one of ${METRIC_FORMS.join(', ')}`);
  const head = /^[^.@]*/.exec(text)![0];
  switch (head) {
    case 'dropped':
    case 'delayed':
      return { kind: head, ...readCauseAndNode(text, head, column) };
    case 'rooted': {
      const { cause, at } = readCauseAndNode(text, head, column);
      if (cause === undefined)
        throw new GateSyntaxError('rooted needs a cause', column + head.length, 'write it like rooted.ports-exhausted');
      return { kind: 'rooted', cause, ...(at === undefined ? {} : { at }) };
    }
    case 'droppedShare':
    case 'completed':
    case 'due':
    case 'attempts':
    case 'throughput':
      if (text !== head)
        throw new GateSyntaxError(`${head} stands alone, without "${text.slice(head.length)}"`, column + head.length);
      return { kind: head };
    case 'tickets':
      if (text !== 'tickets.sold')
        throw new GateSyntaxError(`no metric "${text}"`, column, 'did you mean tickets.sold?');
      return { kind: 'tickets.sold' };
    case 'latency':
      return readLatency(text, column);
    case 'ports':
      return readPorts(text, column);
    case 'attack':
      return readAttack(text, column);
    default: {
      const close = nearest(head, METRIC_FORMS) ?? nearest(text, METRIC_FORMS);
      throw new GateSyntaxError(
        `no metric "${head || text}"`,
        column,
        close === undefined ? `one of ${METRIC_FORMS.join(', ')}` : `did you mean ${close}?`,
      );
    }
  }
}

function readCauseAndNode(text: string, head: string, column: number): { cause?: Cause; at?: string } {
  const [name, node, ...more] = text.split('@');
  if (more.length > 0) throw new GateSyntaxError('one @node is enough', column + text.lastIndexOf('@'));
  const result: { cause?: Cause; at?: string } = {};
  if (name.length > head.length) {
    const cause = name.slice(head.length + 1);
    const causeAt = column + head.length + 1;
    if (!(CAUSE_NAMES as string[]).includes(cause)) {
      const close = nearest(cause, CAUSE_NAMES);
      throw new GateSyntaxError(
        cause === '' ? `${head}. needs a cause` : `no cause "${cause}"`,
        causeAt,
        close === undefined ? `one of ${CAUSE_NAMES.join(', ')}` : `did you mean ${head}.${close}?`,
      );
    }
    result.cause = cause as Cause;
  }
  if (node !== undefined) result.at = readNode(node, column + name.length + 1, '@');
  return result;
}

function readNode(node: string, column: number, after: string): string {
  if (NODE_NAME.test(node)) return node;
  const host = /^([A-Za-z_][\w-]*)\[\d+\]$/.exec(node);
  if (host) throw new GateSyntaxError(`${node} is one host of a node`, column, `gates count by node: write ${host[1]}`);
  throw new GateSyntaxError(
    node === '' ? `a node's name is missing after ${after}` : `"${node}" cannot be a node's name`,
    column,
  );
}

function readLatency(text: string, column: number): GateMetric {
  const [head, which, stat, ...more] = text.split('.');
  const whichAt = column + head.length + 1;
  if (which !== 'connect' && which !== 'response')
    throw new GateSyntaxError(
      which === undefined ? 'latency of what?' : `no latency "${which}"`,
      which === undefined ? column + head.length : whichAt,
      'latency.connect.… or latency.response.…',
    );
  const statAt = whichAt + which.length + 1;
  if (more.length > 0 || !(LATENCY_STATS as readonly string[]).includes(stat))
    throw new GateSyntaxError(
      stat === undefined ? `which part of latency.${which}?` : `no part "${[stat, ...more].join('.')}" of a latency`,
      stat === undefined ? statAt - 1 : statAt,
      `one of ${LATENCY_STATS.join(', ')}`,
    );
  return { kind: 'latency', which, stat: stat as LatencyStat };
}

function readPorts(text: string, column: number): GateMetric {
  const form = 'write it like ports.edge.peak';
  const parts = text.split('.');
  if (parts.length !== 3) throw new GateSyntaxError(`"${text}" is not a metric of ports`, column, form);
  const [head, node, what] = parts;
  const name = readNode(node, column + head.length + 1, 'ports.');
  if (what !== 'peak')
    throw new GateSyntaxError(
      `ports of a node have a peak, not "${what}"`,
      column + head.length + node.length + 2,
      form,
    );
  return { kind: 'ports', node: name };
}

function readAttack(text: string, column: number): GateMetric {
  const [head, node = '', what = '', ...more] = text.split('.');
  const name = readNode(node, column + head.length + 1, 'attack.');
  const whatAt = column + head.length + node.length + 2;
  if (more.length > 0 || !(ATTACK_NUMBERS as readonly string[]).includes(what))
    throw new GateSyntaxError(
      what === '' ? `which number of attack.${node}?` : `no number "${[what, ...more].join('.')}" of an attack`,
      what === '' ? whatAt - 1 : whatAt,
      `one of ${ATTACK_NUMBERS.join(', ')}`,
    );
  return { kind: 'attack', node: name, what: what as AttackNumber };
}

function readOperator(text: string, at: number): Operator {
  const rest = text.slice(at);
  const found = OPERATORS.find((operator) => rest.startsWith(operator));
  if (found !== undefined && !(found.length === 1 && rest[1] === '>')) return found;
  const written = /^[=!<>≤≥~]+/.exec(rest)?.[0];
  const meant: Record<string, Operator> = { '=': '==', '===': '==', '=<': '<=', '=>': '>=', '≤': '<=', '≥': '>=' };
  if (written === undefined)
    throw new GateSyntaxError(
      rest === '' ? 'nothing to compare with' : `expected a comparison, not "${rest}"`,
      at + 1,
      `one of ${OPERATORS.join(' ')}, as in "dropped == 0"`,
    );
  throw new GateSyntaxError(
    `no comparison "${written}"`,
    at + 1,
    `${written === '<>' || written === '!' ? 'write !=' : `write ${meant[written] ?? `one of ${OPERATORS.join(' ')}`}`}`,
  );
}
