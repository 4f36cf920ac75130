/** Numbers of `portparty watch` as words, the same in its table, its lines and its log. */
import type { PoolSample } from '../watch/sample.js';
import { NOTHING } from './format.js';

/** `+120/s`, `-0.4/s`, `0/s`; a dash where there is no rate yet. */
export function perSecond(value: number | null): string {
  if (value === null) return NOTHING;
  const rounded = Number(value.toFixed(Math.abs(value) < 9.95 ? 1 : 0));
  return `${rounded > 0 ? '+' : ''}${(rounded === 0 ? 0 : rounded).toLocaleString('en-US')}/s`;
}

/** `4 s`, `3 min`, `2 h`, `now`; a dash where it will not come. */
export function until(seconds: number | null): string {
  if (seconds === null) return NOTHING;
  if (seconds === 0) return 'now';
  if (seconds < 120) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** `82%`, rounded down, so that 100% means none left; `<1%` for a little. */
export function wholePercent(share: number): string {
  const percent = Math.floor(share * 100);
  return percent === 0 && share > 0 ? '<1%' : `${percent}%`;
}

/** `198.18.0.1 → 198.18.0.2:80`. */
export function poolName({ source, destination }: Pick<PoolSample, 'source' | 'destination'>): string {
  return `${source} → ${destination}`;
}
