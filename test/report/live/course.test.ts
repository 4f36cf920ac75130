/** A trial is followed as it goes: each request once, the latencies of the last seconds, a course that never grows too long. */
import { describe, expect, it } from 'vitest';
import { settledRows } from '../../../src/observe/progress.js';
import { horizonOf, inCells, recentRates, startHistory } from '../../../src/report/live/history.js';
import { tallyOf } from '../../../src/report/live/tally.js';
import { Errno } from '../../../src/sys/errno.js';
import { ClientError, outcomes, RequestState } from '../../../src/traffic/outcomes.js';

const EVERYTHING = 1e9;

describe('requests that have ended', () => {
  it('are visited once each, whenever they end', () => {
    const requests = outcomes(10_000, 3);
    const rows = settledRows(requests);
    const seen = new Map<number, number>();
    const visit = (row: number) => seen.set(row, (seen.get(row) ?? 0) + 1);
    const ended = new Set<number>();
    // Every seventh visitor is turned away at the second step; every eleventh finds the tickets sold out, and ends there.
    for (const until of [2500, 2501, 10_000]) {
      for (let visitor = 0; visitor < until; visitor++) {
        const states = visitor % 7 === 0 ? [2, 3, 0] : visitor % 11 === 0 ? [2, 2, 0] : [2, 2, 2];
        if (visitor % 7 !== 0 && visitor % 11 === 0) requests.soldOut[visitor * 3 + 1] = 1;
        requests.state.set(states, visitor * 3);
        for (const [step, state] of states.entries()) if (state !== 0) ended.add(visitor * 3 + step);
      }
      expect(rows(visit, EVERYTHING)).toBe(0);
      expect(seen.size).toBe(ended.size);
    }
    expect(new Set(seen.values())).toEqual(new Set([1]));
  });

  it('are looked at a part at a time, and none is left out', () => {
    const requests = outcomes(100_000, 1);
    requests.state.fill(RequestState.completed);
    requests.state.fill(RequestState.underWay, 500, 600);
    const rows = settledRows(requests);
    let visited = 0;
    const most = 10_000;
    for (let call = 0; call < 12; call++) {
      const before = visited;
      rows(() => visited++, most);
      expect(visited - before).toBeLessThan(most + 1024);
    }
    expect(visited).toBe(99_900);
    expect(rows(() => visited++, EVERYTHING)).toBe(100);
    requests.state.fill(RequestState.completed, 500, 600);
    rows(() => visited++, EVERYTHING);
    expect(visited).toBe(100_000);
  });
});

describe('the tally', () => {
  it('names what the clients saw, as it comes', () => {
    const requests = outcomes(6, 1);
    const tally = tallyOf(requests);
    const fail = (row: number, error: ClientError, errno = 0, status = 0) => {
      Object.assign(requests.error, { [row]: error });
      requests.errno[row] = errno;
      requests.status[row] = status;
      requests.state[row] = RequestState.dropped;
    };
    fail(0, ClientError.connectTimeout);
    fail(1, ClientError.syscall, Errno.EADDRNOTAVAIL);
    tally.look();
    fail(2, ClientError.connectFailed, Errno.ECONNREFUSED);
    fail(3, ClientError.status, 0, 503);
    fail(4, ClientError.connectTimeout);
    tally.look();
    expect([...tally.reasons()]).toEqual([
      ['connect timed out', 2],
      ['no local port left', 1],
      ['connect refused', 1],
      ['answered with 503', 1],
    ]);
    expect([tally.completed(), tally.dropped()]).toEqual([0, 5]);
  });

  it('has the latency of the last two seconds, and of what was answered since it was asked', () => {
    const requests = outcomes(200, 1);
    const tally = tallyOf(requests);
    const answer = (row: number, ms: number) => {
      requests.dueNs[row] = 1e9;
      requests.doneNs[row] = 1e9 + ms * 1e6;
      requests.state[row] = RequestState.completed;
    };
    for (let row = 0; row < 100; row++) answer(row, row < 97 ? 10 : 1000);
    tally.look();
    expect(tally.recent(0).p50Ms).toBeCloseTo(10, 0);
    expect(tally.sinceLast().p99Ms / 1000).toBeCloseTo(1, 1);
    expect(tally.sinceLast()).toEqual({ p50Ms: 0, p99Ms: 0 });
    expect(tally.recent(900).p99Ms / 1000).toBeCloseTo(1, 1);
    for (let row = 100; row < 200; row++) answer(row, 50);
    tally.look();
    tally.recent(1000);
    expect(tally.recent(2000).p50Ms).toBeCloseTo(50, -1);
    tally.recent(3000);
    expect(tally.recent(4000)).toEqual({ p50Ms: 0, p99Ms: 0 });
  });
});

describe('the history', () => {
  const latency = () => ({ p50Ms: 1, p99Ms: 2 });

  it('knows rates, also when a look came late', () => {
    const history = startHistory();
    for (const ms of [200, 400, 1000, 1200]) history.add(ms, { due: ms, completed: ms / 2, dropped: 0 }, latency);
    expect(history.spans).toHaveLength(6);
    expect(recentRates(history)).toEqual({ due: 1000, completed: 500, dropped: 0 });
  });

  it('of an hour is no longer than a screen needs, and keeps its peaks', () => {
    const history = startHistory();
    let highest = 2;
    for (let ms = 200; ms <= 3_600_000; ms += 200) {
      if (ms === 1_800_000) highest = 777;
      history.add(ms, { due: ms, completed: ms, dropped: 0 }, () => {
        const p99Ms = highest;
        highest = 2;
        return { p50Ms: 1, p99Ms };
      });
    }
    expect(history.spans.length).toBeLessThanOrEqual(1024);
    const cells = inCells(history, horizonOf(3_600_000, 3_600_000), 60);
    expect(cells.length).toBeGreaterThan(48);
    expect(cells.map(({ p99Ms }) => p99Ms).filter((ms) => ms > 2)).toEqual([777]);
    expect(recentRates(history).due).toBeCloseTo(1000, -1);
  });

  it('has room for what lasts longer than planned', () => {
    expect(horizonOf(0, 5000)).toBe(6000);
    expect(horizonOf(6001, 5000)).toBe(9000);
    expect(horizonOf(50_000, 0)).toBeGreaterThan(50_000);
  });
});
