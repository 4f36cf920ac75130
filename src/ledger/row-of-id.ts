/** A request's row by the id that its log lines carry. */
import type { TrafficPlan } from '../traffic/engine.js';
import type { Outcomes } from '../traffic/outcomes.js';

const DOT = '.'.charCodeAt(0);
const ZERO = '0'.charCodeAt(0);

/**
 * The outcome row of a request id, with or without its try (`requestId`); undefined for an id that is not of this trial.
 * Read without parts of text: a log has an id per line.
 */
export function rowOfId({ idPrefix }: TrafficPlan, { steps, rows }: Outcomes, id: string): number | undefined {
  if (!id.startsWith(idPrefix) || id.charCodeAt(idPrefix.length) !== DOT) return undefined;
  const visitorAt = idPrefix.length + 1;
  const visitorEnd = id.indexOf('.', visitorAt);
  const visitor = visitorEnd < 0 ? Number.NaN : digits(id, visitorAt, visitorEnd);
  const stepEnd = id.indexOf('.', visitorEnd + 1);
  const step = digits(id, visitorEnd + 1, stepEnd < 0 ? id.length : stepEnd);
  const row = visitor * steps + step;
  return row >= 0 && row < rows ? row : undefined;
}

/** The number that these digits are; NaN for none, and for anything else. */
function digits(text: string, from: number, to: number): number {
  let number = from < to ? 0 : Number.NaN;
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - ZERO;
    number = digit >= 0 && digit <= 9 ? number * 10 + digit : Number.NaN;
  }
  return number;
}
