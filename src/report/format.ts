/** Numbers, places and gates as words for people, the same in every report. */
import type { CauseCount, LatencySummary, Measured, RunRecord, VariantRecord } from '../record/run-record.js';
import { coresText } from '../sys/cores.js';
import { poolLevel } from './pool-level.js';

/** What was not measured. */
export const NOTHING = '–';

/** Kept, as making one takes longer than all else that a live view does. */
const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `64,512`. */
export function count(value: number): string {
  return WHOLE.format(value);
}

/** An ISO time to the minute: `2026-11-24 19:23`. */
export function toMinute(iso: string): string {
  return iso.slice(0, 16).replace('T', ' ');
}

/** Milliseconds with as many digits as matter: `0.42`, `3.1`, `120`, `1,204`; without the unit. */
export function ms(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return NOTHING;
  if (value >= 9.95) return count(Math.round(value));
  return value >= 0.995 ? value.toFixed(1) : value.toFixed(2);
}

/** `80%`, `0.3%`. */
export function percent(share: number): string {
  return `${Number((share * 100).toPrecision(3))}%`;
}

/** `p50 / p99` of a latency in ms, a dash where nothing was measured. */
export function latencyPair(latency: LatencySummary): string {
  return latency.count === 0 ? NOTHING : `${ms(latency.p50)} / ${ms(latency.p99)}`;
}

/** `ports-exhausted@edge`, with its root behind it where it has one. */
export function placeOf({ cause, at, because }: Omit<CauseCount, 'count' | 'evidence'>): string {
  return because === undefined ? `${cause}@${at}` : `${cause}@${at} because ${because.cause}@${because.at}`;
}

/** `pinned: harness on core 0, proxies on 1, servers on 1`. */
export function placementText({ harness, proxies, servers }: NonNullable<RunRecord['placement']>): string {
  return `pinned: harness on core ${coresText(harness)}, proxies on ${coresText(proxies)}, servers on ${coresText(servers)}`;
}

/** `edge 500/500`. */
export function poolOf(node: string, { peak, capacity }: Measured['ports'][string]): string {
  return `${node} ${count(peak)}/${count(capacity)}`;
}

/**
 * The pools that are worth a look, the same for every variant so that rows can be compared:
 * those of which some variant used 80 % or more, else the one that was used most.
 */
export function busiestNodes(variants: VariantRecord[]): string[] {
  const shares = new Map<string, number>();
  for (const { ports } of variants) {
    for (const [node, pool] of Object.entries(ports))
      shares.set(node, Math.max(shares.get(node) ?? 0, pool.peakShare ?? 0));
  }
  const sorted = [...shares].sort(([, a], [, b]) => b - a);
  const tight = sorted.filter(([, share]) => poolLevel(share) !== 'easy');
  return (tight.length > 0 ? tight : sorted.slice(0, 1)).map(([node]) => node);
}

/** `a`, `a and b`, `a, b and c`. */
export function list(words: string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/** `1 request`, `2 requests`; `many` where an s does not make the plural. */
export function plural(number: number, one: string, many = `${one}s`): string {
  return `${count(number)} ${number === 1 ? one : many}`;
}
