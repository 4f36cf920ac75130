/** Numbers on the page, each with the exact value behind it and the place in `run.json` that it comes from. */
import { count, ms, NOTHING, percent } from '../format.js';
import { type Html, html } from './escape.js';

/** A number as it reads, with its exact value; `path` is a JSON pointer (RFC 6901) into `run.json`. */
export function number(value: number | null, text: string, path?: (string | number)[]): Html {
  if (value === null || !Number.isFinite(value)) return html`${NOTHING}`;
  if (path === undefined) return html`<data value="${value}">${text}</data>`;
  return html`<data value="${value}" data-path="${pointer(path)}">${text}</data>`;
}

/** A count of requests, ports, visitors. */
export const counted = (value: number | null, path?: (string | number)[]) =>
  number(value, value === null ? NOTHING : count(value), path);

/** Milliseconds, without the unit. */
export const inMs = (value: number | null, path?: (string | number)[]) => number(value, ms(value), path);

/** A share from 0 to 1, as per cent. */
export const share = (value: number | null, path?: (string | number)[]) =>
  number(value, value === null ? NOTHING : percent(value), path);

/** How full a pool is, in few digits: `94.6%`, `<0.1%`. */
export function poolShare(full: number): string {
  if (full > 0 && full < 0.001) return '<0.1%';
  return percent(Math.round(full * 1000) / 1000);
}

function pointer(path: (string | number)[]): string {
  return path.map((part) => `/${String(part).replace(/~/g, '~0').replace(/\//g, '~1')}`).join('');
}
