/** The settings that two variants have apart, as a scenario file names and writes them. */
import type { ChainNode, ChainRecord } from '../../record/chain-record.js';

/** One setting. */
export interface ChangedKnob {
  /** The node's name, or `traffic`. */
  node: string;
  knob: string;
  /** As a scenario file writes it; `default` where it is not there. */
  before: string;
  after: string;
}

/** Knobs whose numbers are spans of time, ms (`nodes/*.ts`). */
const TIMES = new Set(
  (
    'delay failTimeout connectTimeout responseTimeout queueTimeout serviceTime holdTime keepaliveTimeout readyWithin ttl interval ' +
    'established timeWait finWait closeWait synSent for thinkTime holdFor connect response backoff maxLateness sessionTime'
  ).split(' '),
);

/** Every node's knobs, and the traffic's, that differ. Nodes of only one of the chains are there with their kind alone. */
export function changedKnobs(base: ChainRecord, variant: ChainRecord): ChangedKnob[] {
  const names = [...new Set([...Object.keys(base.nodes), ...Object.keys(variant.nodes)])];
  const ofNodes = names.flatMap((node) => {
    const [before, after] = [base.nodes[node], variant.nodes[node]].map(knobsOf);
    const otherKind = before.kind !== after.kind;
    return differing(node, otherKind ? { kind: before.kind } : before, otherKind ? { kind: after.kind } : after);
  });
  const [before, after] = [base, variant].map(({ traffic }): Record<string, unknown> => ({ ...traffic }));
  return [...ofNodes, ...differing('traffic', before, after)];
}

function knobsOf(node: ChainNode | undefined): Record<string, unknown> {
  return node === undefined ? {} : { kind: node.kind, to: node.to, ...node.spec };
}

function differing(node: string, before: Record<string, unknown>, after: Record<string, unknown>): ChangedKnob[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  return names
    .filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
    .map((name) => ({
      node,
      knob: withoutUnit(name),
      before: written(name, before[name]),
      after: written(name, after[name]),
    }));
}

/** `thinkTimeMs` is `thinkTime` in the file. */
const withoutUnit = (name: string) => name.replace(/Ms$/, '');

function written(name: string, value: unknown): string {
  if (value === undefined) return 'default';
  if (typeof value === 'number') return numberOf(withoutUnit(name), value);
  if (Array.isArray(value)) return `[${value.map((one) => written(name, one)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  if ('lo' in value && 'hi' in value) return `${value.lo}-${value.hi}`;
  if ('from' in value && 'to' in value && typeof value.from === 'number')
    return value.from === value.to ? `${value.from}/s` : `${value.from}/s..${value.to}/s`;
  const parts = Object.entries(value).map(([key, one]) => `${withoutUnit(key)}: ${written(key, one)}`);
  return parts.length === 0 ? 'none' : `{ ${parts.join(', ')} }`;
}

function numberOf(name: string, value: number): string {
  if (name === 'rate') return Number.isInteger(value) ? `${value}/s` : `${Number((value * 60).toPrecision(12))}/m`;
  if (name === 'loss') return `${value * 100}%`;
  if (!TIMES.has(name)) return String(value);
  const [unit, divisor] =
    value >= 60_000 && value % 60_000 === 0
      ? ['m', 60_000]
      : value >= 1000 && value % 1000 === 0
        ? ['s', 1000]
        : ['ms', 1];
  return `${value / (divisor as number)}${unit}`;
}
