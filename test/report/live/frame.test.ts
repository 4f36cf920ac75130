/** What a person sees of a run under way: at any width and height, with pools that are full, with many of them, without colours, in ASCII. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { liveFrame } from '../../../src/report/live/frame.js';
import { startHistory } from '../../../src/report/live/history.js';
import type { LivePool, LiveState, LiveTrial } from '../../../src/report/live/state.js';
import { liveStyle } from '../../../src/report/live/style.js';

const PLAIN = liveStyle({ LANG: 'C.UTF-8', NO_COLOR: '1' });
const ASCII = liveStyle({ LANG: 'C', NO_COLOR: '1' });

const pool = (node: string, inUse: number, capacity: number, changes: Partial<LivePool> = {}): LivePool => ({
  ...{ node, inUse, capacity, peak: inUse, timeWait: 0, full: inUse >= capacity },
  ...changes,
});

/** Three seconds of 100 a second, of which a fifth was dropped in the last one. */
function course() {
  const history = startHistory();
  for (let ms = 200; ms <= 3000; ms += 200) {
    const due = ms / 10;
    const dropped = Math.max(0, ms - 2000) / 50;
    const latency = () => ({ p50Ms: 10, p99Ms: ms > 2000 ? 1000 : 20 });
    history.add(ms, { due, completed: due - dropped, dropped }, latency);
  }
  return history;
}

const TRIAL: LiveTrial = {
  ...{ passedMs: 3000, plannedMs: 5000, history: course() },
  totals: { due: 2301, completed: 2000, dropped: 159 },
  rates: { due: 350, completed: 310, dropped: 40 },
  reasons: [
    { text: 'connect timed out', count: 147 },
    { text: 'answered with 502', count: 12 },
  ],
  latency: { p50Ms: 11, p99Ms: 1042 },
  pools: [pool('buyers', 263, 28_232), pool('edge', 500, 500), pool('balancer', 30, 28_232, { peak: 14_116 })],
};

const STATE: LiveState = {
  ...{
    scenario: 'ticket-sale',
    label: 'as-shipped (2 of 4, until ~21:43)',
    phase: 'sending',
    inPhaseMs: 3000,
    step: '',
  },
  trial: TRIAL,
  finished: [{ name: 'wider-pool', due: 3996, dropped: 7, causes: ['7 ports-exhausted@edge'], invalid: false }],
};

const frame = (columns: number, rows = 50, changes: Partial<LiveState> = {}, style = PLAIN) =>
  liveFrame({ ...STATE, ...changes }, { columns, rows }, style);
const lineOf = (lines: string[], start: string) => lines.find((line) => line.trimStart().startsWith(start))!;

describe('the picture', () => {
  it('tells phase, time left, arrivals, completions, drops, pools and latency, with units', () => {
    const lines = frame(80);
    expect(lines[0]).toBe('ticket-sale  as-shipped (2 of 4, until ~21:43)');
    expect(lineOf(lines, 'sending')).toMatch(/3\.0 of 5\.0 s {2}2\.0 s left$/);
    expect(lineOf(lines, 'due')).toMatch(/ 2,301 +350\/s$/);
    expect(lineOf(lines, 'completed')).toMatch(/ 2,000 +310\/s$/);
    expect(lineOf(lines, 'under way')).toMatch(/ 142$/);
    expect(lineOf(lines, 'dropped')).toMatch(/ 159 +40\/s$/);
    expect(lineOf(lines, 'response p99')).toMatch(/[▁-█]+ +1,042 ms$/);
    expect(lineOf(lines, 'edge')).toMatch(/█+ +500\/500 +full$/);
    expect(lineOf(lines, 'wider-pool')).toMatch(/7 dropped +of 3,996 +7 ports-exhausted@edge$/);
  });

  it('says of drops what the clients saw, and beside it which pools were full, but no cause', () => {
    const lines = frame(80);
    expect(lineOf(lines, 'connect timed out')).toMatch(/ 147$/);
    expect(lineOf(lines, 'answered with 502')).toMatch(/ 12$/);
    expect(lineOf(lines, 'without a free port')).toBe(
      '    without a free port at times: edge · causes: after the trial',
    );
    expect(lines.slice(0, lines.indexOf(lineOf(lines, 'buyers'))).join()).not.toContain('ports-exhausted');
  });

  it('has no line on reasons while nothing is dropped', () => {
    const totals = { due: 9, completed: 9, dropped: 0 };
    const trial = { ...TRIAL, totals, reasons: [], history: startHistory() };
    const lines = frame(80, 50, { trial });
    expect(lineOf(lines, 'dropped')).toMatch(/^ +dropped +0$/);
    expect(lines.join()).not.toMatch(/causes|free port/);
  });

  it('sums up the rarest reasons', () => {
    const reasons = Array.from({ length: 7 }, (_, index) => ({ text: `answered with 50${index}`, count: index + 1 }));
    const lines = frame(80, 50, { trial: { ...TRIAL, reasons } });
    expect(lines.filter((line) => line.includes('answered with')).map((line) => line.split(' ').at(-1))).toEqual([
      '5',
      '6',
      '7',
    ]);
    expect(lineOf(lines, '4 other ways')).toMatch(/ 10$/);
  });

  it('shows arrivals and drops on one scale, and nothing where nothing happened', () => {
    const graph = (name: string) => lineOf(frame(80), name).slice(15, 15 + 36);
    expect(graph('due').trimEnd()).toMatch(/^█+$/);
    expect(graph('dropped')).toMatch(/^ {8,}▂+ *$/);
  });

  it('marks the peak of a pool in its bar, and names it where there is room', () => {
    expect(lineOf(frame(80), 'balancer')).toMatch(/▒{10,}░{10,}/);
    expect(lineOf(frame(160), 'balancer')).toMatch(/<1% {2}peak 14,116$/);
  });

  it('tells a step of the preparation, and how long a phase has lasted', () => {
    const step = frame(80, 50, {
      phase: 'preparing',
      label: '',
      trial: undefined,
      step: 'building the image of nginx',
    });
    expect(step.slice(0, 2)).toEqual(['ticket-sale', '  preparing    building the image of nginx']);
    const starting = frame(80, 50, { phase: 'starting', trial: undefined, inPhaseMs: 1234 });
    expect(starting[1]).toMatch(/^ {2}starting +1\.2 s$/);
  });
});

describe('any size', () => {
  for (const columns of [1, 5, 12, 30, 40, 63, 64, 80, 103, 104, 160, 300])
    it(`is never as wide as ${columns} columns, so that nothing wraps`, () => {
      const trial = {
        ...TRIAL,
        totals: { due: 123_456_789, completed: 1, dropped: 98_765_432 },
        rates: { due: 1_234_567, completed: 1, dropped: 999_999 },
        pools: [pool('a-node-with-a-very-long-name', 999_999, 9_999_999), ...TRIAL.pools],
      };
      for (const style of [PLAIN, ASCII, liveStyle({ LANG: 'C.UTF-8' })])
        for (const line of frame(columns, 50, { trial, label: '幅広い'.repeat(40) }, style))
          expect([...stripVTControlCharacters(line)].length).toBeLessThan(Math.max(2, columns));
    });

  it('reads at 40 columns', () => {
    const lines = frame(40);
    expect(lineOf(lines, 'edge')).toMatch(/^edge +█+ +500\/500 +full$/);
    expect(lineOf(lines, 'dropped')).toMatch(/ 159 +40\/s$/);
    expect(lineOf(lines, 'p99')).toMatch(/1,042 ms$/);
    expect(lines[0]).toBe('ticket-sale  as-shipped (2 of 4)');
  });

  it('uses the width', () => {
    const cells = (columns: number) => /█+/.exec(lineOf(frame(columns), 'edge'))![0].length;
    expect(cells(100)).toBe(cells(80) + 20);
    expect(cells(200)).toBe(cells(160) + 40);
  });

  it('is lower than the terminal, and keeps what matters most', () => {
    for (let rows = 2; rows < 30; rows++) {
      const lines = frame(80, rows);
      expect(lines.length).toBeLessThan(rows);
      expect(lineOf(lines, 'dropped')).toBeDefined();
      if (rows > 3) expect(lineOf(lines, 'completed')).toBeDefined();
      if (rows > 6) expect(lineOf(lines, 'edge')).toBeDefined();
    }
  });

  it('sums up pools where there are many, and shows the fullest', () => {
    const pools = Array.from({ length: 40 }, (_, index) => pool(`node-${index}`, index === 23 ? 100 : index, 100));
    const lines = frame(80, 50, { trial: { ...TRIAL, pools } });
    expect(lines.filter((line) => line.startsWith('  node-')).map((line) => line.trim().split(' ')[0])).toEqual([
      'node-23',
      'node-36',
      'node-37',
      'node-38',
      'node-39',
    ]);
    expect(lines.join('\n')).toContain('and 35 pools more, the fullest at 35%');
  });
});

describe('a terminal', () => {
  it('without UTF-8, or of the Linux console, gets ASCII alone', () => {
    for (const environment of [
      { LANG: 'C' },
      {},
      { LANG: 'en_US.UTF-8', LC_ALL: 'POSIX' },
      { LANG: 'C.UTF-8', TERM: 'linux' },
    ]) {
      const text = frame(120, 50, { label: 'größe · 2 … –' }, liveStyle({ ...environment, NO_COLOR: '1' })).join('\n');
      expect(text).toMatch(/^[\x20-\x7e\n]+$/);
      expect(text).toMatch(/edge +#+ /);
    }
  });

  it('under NO_COLOR gets no escape, else colours', () => {
    expect(frame(80).join('\n')).not.toContain('\x1b');
    expect(frame(80, 50, {}, liveStyle({ LANG: 'C.UTF-8' })).join('\n')).toContain('\x1b[');
  });
});
