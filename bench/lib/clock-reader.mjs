/**
 * How late a sender with nothing to do would be: a loop that reads the clock and finds each planned moment when it comes round to it.
 * `node bench/lib/clock-reader.mjs RATE SECONDS`; prints JSON: p50, p99 and the most, µs, and the share of the time that went in gaps of over 200 µs.
 */
import { percentile } from './numbers.mjs';

const [rate, seconds] = process.argv.slice(2).map(Number);
const GAP_MS = 1000 / rate;
const LONG_GAP_MS = 0.2;
/** Compiled code is what a sender has. */
const WARM_UP_MS = 200;

const late = new Float64Array(rate * seconds);
const warm = performance.now() + WARM_UP_MS;
while (performance.now() < warm);
const start = performance.now();
let before = start;
let inGaps = 0;
for (let due = 0; due < late.length; ) {
  const now = performance.now();
  if (now - before > LONG_GAP_MS) inGaps += now - before;
  before = now;
  for (; due < late.length && start + due * GAP_MS <= now; due++) late[due] = now - start - due * GAP_MS;
}
const us = (share) => percentile(late, share) * 1000;
console.log(
  JSON.stringify({ p50Us: us(0.5), p99Us: us(0.99), mostUs: us(1), lost: inGaps / (performance.now() - start) }),
);
