/** The written units of a scenario file (`40ms`, `600/s`, `80%`, `20000-20499`) as zod types that yield plain numbers. */
import { z } from 'zod';

/** Turns a unit's text into its number, or throws an Error whose message says what would be right. */
type Reader<T> = (text: string) => T;

/**
 * A string in the file, a parsed value after loading; the pattern is what editors see in the JSON Schema.
 * Messages say what is wrong, then "; ", then what would be right.
 */
function unit<T>(what: string, pattern: RegExp, example: string, read: Reader<T>) {
  return z
    .string({
      error: (issue) =>
        typeof issue.input === 'number'
          ? `${issue.input} has no unit; write ${what} like ${example}`
          : `expected ${what}; write it like ${example}`,
    })
    .regex(pattern, {
      error: (issue) => `"${String(issue.input)}" is not ${what}; write it like ${example}`,
      abort: true,
    })
    .transform((text, context): T => {
      try {
        return read(text);
      } catch (error) {
        context.addIssue({ code: 'custom', message: (error as Error).message, input: text });
        return z.NEVER;
      }
    });
}

const MS_PER: Record<string, number> = { us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** A span of time: `250us`, `40ms`, `3s`, `2m`, `1h`; yields milliseconds. */
export const duration = unit('a span of time', /^\d+(\.\d+)?\s*(us|ms|s|m|h)$/, '40ms or 3s', (text) => {
  const [, number, name] = /^([\d.]+)\s*(\w+)$/.exec(text) as unknown as [string, string, string];
  return Number(number) * MS_PER[name];
});

/** Something per second or per minute: `600/s`, `30/m`; yields a number per second. */
export const rate = unit('a rate', /^\d+(\.\d+)?\s*\/\s*(s|m)$/, '600/s', readRate);

function readRate(text: string): number {
  const [, number, per] = /^([\d.]+)\s*\/\s*(s|m)$/.exec(text.trim()) as unknown as [string, string, string];
  return Number(number) / (per === 'm' ? 60 : 1);
}

/** A rate that is constant (`600/s`) or climbs or falls evenly through its phase (`50/s..600/s`); per second. */
export interface RateRamp {
  from: number;
  to: number;
}

/** A constant rate or a ramp of rates, per second. */
export const rateRamp = unit(
  'a rate',
  /^\d+(\.\d+)?\s*\/\s*(s|m)(\s*\.\.\s*\d+(\.\d+)?\s*\/\s*(s|m))?$/,
  '600/s or 50/s..600/s',
  (text): RateRamp => {
    const [from, to = from] = text.split('..');
    return { from: readRate(from), to: readRate(to) };
  },
);

/** A part of a whole: `0.1%`, `80%`; yields 0 to 1. */
export const share = unit('a share', /^\d+(\.\d+)?\s*%$/, '80%', (text) => {
  const value = Number(text.replace('%', '')) / 100;
  if (value > 1) throw new Error(`${text} is more than 100%; a share goes from 0% to 100%`);
  return value;
});

/** An inclusive range of TCP ports. */
export interface PortRange {
  lo: number;
  hi: number;
}

/** An inclusive range of ports: `20000-20499`. */
export const portRange = unit('a range of ports', /^\d+\s*-\s*\d+$/, '20000-20499', (text): PortRange => {
  const [lo, hi] = text.split('-').map(Number);
  if (lo < 1 || hi > 65_535) throw new Error(`${text} is not a range of ports; ports go from 1 to 65535`);
  if (lo > hi) throw new Error(`the range ${text} runs backwards; write ${hi}-${lo}`);
  return { lo, hi };
});

/** How many ports a range holds. */
export function rangeSize(range: PortRange): number {
  return range.hi - range.lo + 1;
}
