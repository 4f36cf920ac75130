/** Sockets to pools: which ones share their ports, which ones are shown, and since when they grow. */
import { describe, expect, it } from 'vitest';
import { type PoolTable, poolTable } from '../../src/watch/pool-table.js';
import { poolTrends } from '../../src/watch/pool-trends.js';
import { parseTimeWaitReuse } from '../../src/watch/port-pool.js';

const NEVER = parseTimeWaitReuse('0', '', '1');
const LOOPBACK = parseTimeWaitReuse('2', '', '1');

/** Row of the pool of a socket whose addresses are given as bytes: 4 for IPv4, 16 for IPv6. */
function row(table: PoolTable, source: number[], destination: number[], port: number): number {
  return table.rowOf(
    new DataView(Uint8Array.from([...source, ...destination]).buffer),
    0,
    source.length,
    port,
    source.length === 16,
  );
}

const address = (last: number) => [198, 18, 0, last];
const mapped = (last: number) => [...new Array(10).fill(0), 255, 255, ...address(last)];

describe('a pool', () => {
  it('is a source address with a destination and its port; each of the three makes another one', () => {
    const table = poolTable();
    const first = row(table, address(1), address(2), 80);
    expect(row(table, address(1), address(2), 80)).toBe(first);
    expect(
      new Set([
        first,
        row(table, address(3), address(2), 80),
        row(table, address(1), address(3), 80),
        row(table, address(1), address(2), 81),
      ]).size,
    ).toBe(4);
  });

  it('is the same for an IPv4 socket and an IPv6 one that carries IPv4', () => {
    const table = poolTable();
    expect(row(table, mapped(1), mapped(2), 80)).toBe(row(table, address(1), address(2), 80));
    expect(table.read(0)).toMatchObject({ source: '198.18.0.1', destination: '198.18.0.2:80' });
  });

  it('writes IPv6 as people do', () => {
    const table = poolTable();
    const six = (last: number) => [0x20, 0x01, 0x0d, 0xb8, ...new Array(11).fill(0), last];
    row(table, six(1), six(2), 443);
    expect(table.read(0)).toMatchObject({ source: '2001:db8::1', destination: '[2001:db8::2]:443' });
  });

  it('keeps its counts while thousands of others come, and none after a clear', () => {
    const table = poolTable();
    for (let port = 1; port <= 20_000; port++)
      for (let socket = 0; socket < port % 3; socket++) table.addLive(row(table, address(1), address(2), port));
    for (const port of [1, 2, 511, 512, 513, 19_999])
      expect(table.live(row(table, address(1), address(2), port))).toBe(port % 3);
    table.clear();
    expect(table.rows).toBe(0);
    expect(table.live(row(table, address(1), address(2), 2))).toBe(0);
  });
});

describe('the fullest pools', () => {
  it('come first, with how they change once there are two counts', () => {
    const table = poolTable();
    const trends = poolTrends();
    const count = (sockets: [port: number, live: number][], seconds: number) => {
      table.clear();
      for (const [port, live] of sockets)
        for (let one = 0; one < live; one++) table.addLive(row(table, address(1), address(2), port));
      return trends.take(table, 100, NEVER, seconds);
    };
    expect(
      count(
        [
          [80, 10],
          [81, 30],
        ],
        1,
      ).map(({ destination, taken, growthPerSecond }) => [destination, taken, growthPerSecond]),
    ).toEqual([
      ['198.18.0.2:81', 30, null],
      ['198.18.0.2:80', 10, null],
    ]);
    const [first, second, third] = count(
      [
        [80, 50],
        [81, 30],
        [82, 20],
      ],
      3,
    );
    expect(first).toMatchObject({
      destination: '198.18.0.2:80',
      share: 0.5,
      growthPerSecond: 20,
      secondsUntilFull: 2.5,
    });
    expect(second).toMatchObject({ destination: '198.18.0.2:81', growthPerSecond: 0, secondsUntilFull: null });
    // Not there before, it has come up from nothing since.
    expect(third).toMatchObject({ destination: '198.18.0.2:82', growthPerSecond: 10, secondsUntilFull: 8 });
  });

  it('count a port in TIME_WAIT as taken, unless it goes over loopback and the kernel reuses it there', () => {
    const table = poolTable();
    for (const source of [[127, 0, 0, 1], address(1)])
      for (let age = 0; age < 60; age++) table.addTimeWait(row(table, source, source, 80), age);
    const [far, near] = poolTrends().take(table, 100, LOOPBACK, 1);
    expect(far).toMatchObject({ source: '198.18.0.1', inUse: 60, timeWait: 60, reusable: 0, taken: 60, share: 0.6 });
    expect(near).toMatchObject({ source: '127.0.0.1', inUse: 60, timeWait: 60, reusable: 59, taken: 1, share: 0.01 });
  });
});
