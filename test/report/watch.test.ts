/** What a person reads of a sample: wide, narrow, low, without colour, and as a line. */
import { describe, expect, it } from 'vitest';
import { watchLine } from '../../src/report/watch-line.js';
import { watchTable } from '../../src/report/watch-table.js';
import { until, wholePercent } from '../../src/report/watch-words.js';
import type { PoolSample, WatchSample } from '../../src/watch/sample.js';

const pool = (last: number, taken: number, growthPerSecond: number, secondsUntilFull: number | null): PoolSample => ({
  source: '198.18.0.1',
  destination: `198.18.0.${last}:443`,
  inUse: taken + 7,
  timeWait: 7,
  reusable: 7,
  taken,
  share: taken / 1000,
  growthPerSecond,
  closingPerSecond: 0,
  secondsUntilFull,
});
const WARNING =
  'ports from 198.18.0.1 to 198.18.0.2:443: 829 of 1000 taken (82%), +30/s, none left in 6 s at this rate';
const SAMPLE: WatchSample = {
  schema: 'portparty/watch@1',
  at: '2026-01-01T12:00:05.000Z',
  host: 'web-3',
  ports: { range: { lo: 20_000, hi: 21_001 }, reserved: 1, bound: 1, capacity: 1000 },
  counted: { at: '2026-01-01T12:00:01.000Z', cpuMs: 2, sockets: 900, timeWait: 21, pools: 12 },
  pools: [pool(2, 829, 30, 6), pool(3, 40, 0, null), pool(4, 4, -0.5, null)],
  sockets: { inUse: 1800, timeWait: 21, orphans: 0 },
  opened: { total: 5000, perSecond: 44 },
  listening: {
    overflows: 3,
    drops: 4,
    dropsPerSecond: 0,
    fullest: { address: '0.0.0.0:80', queued: 32, backlog: 128 },
  },
  conntrack: {
    entries: 210_000,
    limit: 262_144,
    share: 0.801,
    growthPerSecond: 5,
    secondsUntilFull: 10_428,
    drops: null,
  },
  processes: {
    at: '2026-01-01T12:00:05.000Z',
    top: [{ pid: 7, command: 'nginx', ports: 800, estimated: true }],
    unseen: 79,
  },
  warnings: [WARNING],
  unreadable: ['12 processes of other users, and with them the owners of 79 ports; root can read them'],
  cpuShare: 0.003,
};
const RAISED = { at: '2026-01-01T12:00:01.000Z', key: 'k', kind: 'raised' as const, text: WARNING };
const table = (width: number, height?: number) =>
  watchTable(SAMPLE, [RAISED], { color: false, width, height, warnAt: 0.8 });

describe('the table', () => {
  it('has a row for each pool: taken, share, change, and when it is full', () => {
    const text = table(110);
    expect(text).toMatch(/^ {2}198\.18\.0\.1 → 198\.18\.0\.2:443 +829 +82% +█{8}░{2} +7 +\+30\/s +6 s$/m);
    expect(text).toMatch(/^ {2}198\.18\.0\.1 → 198\.18\.0\.4:443 +4 +<1% +░{10} +7 +-0\.5\/s +–$/m);
    expect(text).toContain('and 9 destinations with fewer');
  });

  it('says how old the count is, who holds the ports, what was warned of and since when, and what could not be read', () => {
    const text = table(200);
    expect(text).toContain('20000-21001, 1 reserved, 1 bound');
    expect(text).toContain('counted 4 seconds ago');
    expect(text).toContain('nginx (pid 7) ~800 · not seen 79 · no process any more 21');
    expect(text).toContain(`! ${WARNING} (since 12:00:01)`);
    expect(text).toContain('drops not readable');
    expect(text).toContain('not readable: 12 processes of other users');
  });

  it('fits a narrow terminal, and shows fewer pools in a low one', () => {
    for (const line of table(72).split('\n')) expect(line.length).toBeLessThanOrEqual(72);
    const low = table(110, 18).trimEnd().split('\n');
    expect(low.length).toBeLessThanOrEqual(18);
    expect([1, 2]).toContain(low.filter((line) => line.includes('→ 198.18')).length);
  });
});

it('the line has the fullest pool, the connection table and what was turned away', () => {
  expect(watchLine(SAMPLE)).toBe(
    '12:00:05  fullest 198.18.0.1 → 198.18.0.2:443 829/1,000 (82%), +30/s, full in 6 s · 1,800 sockets · 21 TIME_WAIT · 44 opened/s' +
      ' · conntrack 210,000/262,144 · listen 3 overflows, 4 drops',
  );
});

it('a share is never rounded up to all, nor a rest of time down to none', () => {
  expect([wholePercent(0.9999), wholePercent(1), wholePercent(0.001), wholePercent(0)]).toEqual([
    '99%',
    '100%',
    '<1%',
    '0%',
  ]);
  expect([until(0.2), until(0), until(600), until(null)]).toEqual(['1 s', 'now', '10 min', '–']);
});
