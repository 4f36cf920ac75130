/** When a row of trials ends is told from their plans, and gets better with each that was timed. */
import { expect, it } from 'vitest';
import { endsAbout } from '../../src/report/time-left.js';

const NOON = new Date(2026, 10, 25, 12, 0, 0).getTime();
const MINUTE = 60_000;

it('adds up what is planned, and what trials take beside that', () => {
  expect(endsAbout([MINUTE, MINUTE], [], NOON)).toBe('12:02');
  // The first one took three minutes longer than planned: so will the others.
  expect(endsAbout([MINUTE, MINUTE, 5 * MINUTE], [4 * MINUTE], NOON)).toBe('12:12');
  expect(endsAbout([MINUTE], [MINUTE], NOON)).toBe('12:00');
});
