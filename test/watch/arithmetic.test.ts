/** What is left, how fast it goes, and when it is gone: numbers that a person can check by hand. */
import { describe, expect, it } from 'vitest';
import { parseLocalPortRange } from '../../src/sys/local-port-range.js';
import { portsTaken, secondsUntil, secondsUntilFull } from '../../src/watch/forecast.js';
import { heldSeconds, parseReservedPorts, parseTimeWaitReuse, portPool } from '../../src/watch/port-pool.js';
import { trend } from '../../src/watch/trend.js';

const NO_TIME_WAIT = new Array<number>(60).fill(0);
const still = { live: 0, livePerSecond: 0, timeWaitByAge: NO_TIME_WAIT, closingPerSecond: 0, heldSeconds: 60 };

describe('the size of a pool', () => {
  const ports = (...list: number[]) => {
    const map = new Uint8Array(65_536);
    for (const port of list) map[port] = 1;
    return map;
  };

  it('is the range without reserved ports and without those that sockets have bound, each withheld once', () => {
    const pool = portPool(
      parseLocalPortRange('20000\t20099\n'),
      parseReservedPorts('8080,20000-20009,20050\n'),
      ports(80, 20_050, 20_060),
    );
    expect(pool).toEqual({ range: { lo: 20_000, hi: 20_099 }, reserved: 11, bound: 1, capacity: 88 });
  });

  it('is the whole range where nothing is withheld', () => {
    expect(portPool(parseLocalPortRange('32768 60999'), parseReservedPorts('\n'), ports()).capacity).toBe(28_232);
  });
});

describe('a port in TIME_WAIT', () => {
  it('is kept for a minute, unless the kernel reuses it: always, or over loopback only', () => {
    const always = parseTimeWaitReuse('1', '', '1');
    const loopback = parseTimeWaitReuse('2\n', '1000\n', '1\n');
    expect([heldSeconds(always, false), heldSeconds(always, true)]).toEqual([1, 1]);
    expect([heldSeconds(loopback, false), heldSeconds(loopback, true)]).toEqual([60, 1]);
    expect(heldSeconds(parseTimeWaitReuse('0', '', '1'), true)).toBe(60);
  });

  it('is not reused without timestamps, and only after the configured delay', () => {
    expect(heldSeconds(parseTimeWaitReuse('1', '1000', '0'), true)).toBe(60);
    expect(heldSeconds(parseTimeWaitReuse('1', '2500', '1'), true)).toBe(3);
  });

  it('counts as taken until then', () => {
    const timeWaitByAge = [5, 5, ...new Array(58).fill(1)];
    expect(portsTaken({ ...still, live: 10, timeWaitByAge, heldSeconds: 60 })).toBe(78);
    expect(portsTaken({ ...still, live: 10, timeWaitByAge, heldSeconds: 1 })).toBe(15);
  });
});

describe('the time until a pool is full', () => {
  it('is what is left by what is more each second, where connections are held', () => {
    expect(secondsUntilFull({ ...still, capacity: 1000, live: 400, livePerSecond: 20 })).toBeCloseTo(30);
    expect(secondsUntilFull({ ...still, capacity: 100_000, live: 0, livePerSecond: 100 })).toBeCloseTo(1000);
  });

  it('does not come where nothing grows, and is now where nothing is left', () => {
    expect(secondsUntilFull({ ...still, capacity: 1000, live: 999 })).toBeNull();
    expect(secondsUntilFull({ ...still, capacity: 1000, live: 999, livePerSecond: -5 })).toBeNull();
    expect(secondsUntilFull({ ...still, capacity: 1000, live: 1000 })).toBe(0);
  });

  it('does not come from a churn that levels off: 100 a second for a minute are 6,000 ports, however steep the climb looks', () => {
    // Ten seconds after its start: a straight line would be full in 4.5 minutes.
    const timeWaitByAge = [...new Array(10).fill(100), ...new Array(50).fill(0)];
    const churn = { ...still, capacity: 28_232, live: 20, timeWaitByAge, closingPerSecond: 100 };
    expect(secondsUntilFull(churn)).toBeNull();
    expect(secondsUntilFull({ ...churn, capacity: 5_000 })).toBeCloseTo(39.8, 1);
  });

  it('counts the ports that come back: a minute-old churn at its plateau does not grow, a faster one than the pool allows does', () => {
    const plateau = new Array(60).fill(100);
    expect(
      secondsUntilFull({ ...still, capacity: 6_100, live: 20, timeWaitByAge: plateau, closingPerSecond: 100 }),
    ).toBeNull();
    // 20 a second more than come back: 80 ports are left.
    expect(
      secondsUntilFull({ ...still, capacity: 6_100, live: 20, timeWaitByAge: plateau, closingPerSecond: 120 }),
    ).toBeCloseTo(4);
  });

  it('is not shortened by connections that only change from open to TIME_WAIT', () => {
    const closing = { ...still, capacity: 1_200, live: 900, livePerSecond: -100, closingPerSecond: 100 };
    expect(secondsUntilFull({ ...closing, timeWaitByAge: [100, ...new Array(59).fill(0)] })).toBeNull();
  });

  it('does not come from TIME_WAIT where the kernel gives it to the next connection', () => {
    const timeWaitByAge = [500, ...new Array(59).fill(500)];
    expect(
      secondsUntilFull({ ...still, capacity: 1_000, live: 10, timeWaitByAge, closingPerSecond: 500, heldSeconds: 1 }),
    ).toBeNull();
  });

  it('of a table is the straight line', () => {
    expect(secondsUntil(1000, 900, 10)).toBe(10);
    expect([secondsUntil(1000, 900, 0), secondsUntil(1000, 900, null), secondsUntil(1000, 900, 0.000_1)]).toEqual([
      null,
      null,
      null,
    ]);
    expect(secondsUntil(1000, 1000, null)).toBe(0);
  });
});

describe('a trend', () => {
  it('needs two values and is the slope through those of the last ten seconds', () => {
    const values = trend();
    values.add(0, 5_000);
    expect(values.perSecond()).toBeNull();
    for (let second = 100; second <= 110; second++) values.add(second, second * 30);
    expect(values.perSecond()).toBeCloseTo(30);
  });

  it('keeps three values where counts are far apart', () => {
    const values = trend();
    for (const second of [0, 30, 60]) values.add(second, second * 2);
    expect(values.perSecond()).toBeCloseTo(2);
  });
});
