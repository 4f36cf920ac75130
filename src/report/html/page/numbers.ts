/** Numbers as they read on axes and in legends, with their units. */

/** `1,200`, `0.4`. */
export function plain(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { maximumFractionDigits: digits });
}

/** `350/s`. */
export const perSecond = (value: number) => `${plain(value)}/s`;

/** `12.30 s`. */
export const seconds = (value: number) => `${value.toFixed(2)} s`;

/** Milliseconds in a unit that reads well: `0.4 ms`, `120 ms`, `3 s`. */
export function duration(ms: number): string {
  if (ms >= 1000) return `${plain(ms / 1000)} s`;
  return ms >= 0.01 ? `${plain(ms)} ms` : `${plain(ms * 1000)} µs`;
}

/** `36.9%` of a share from 0 to 1. */
export const percent = (share: number) => `${Number((share * 100).toPrecision(3))}%`;

/** How full a pool is, as the page's text says it: `94.6%`, `<0.1%`. */
export const poolShare = (share: number) =>
  share > 0 && share < 0.001 ? '<0.1%' : percent(Math.round(share * 1000) / 1000);
