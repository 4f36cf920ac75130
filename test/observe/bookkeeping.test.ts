/** The observers' own bookkeeping: time, growing columns, progress, bindings, pools. */
import { describe, expect, it } from 'vitest';
import { fromHalves, fromTimespec, type RunClock, runClock } from '../../src/observe/clock.js';
import { doubled, newColumns, sortedByTime } from '../../src/observe/columns.js';
import { type Entry, newEntry } from '../../src/observe/conntrack-entry.js';
import { ENTRY_STATES } from '../../src/observe/conntrack-table.js';
import { poolOf } from '../../src/observe/pools.js';
import { portsInUse, reusesFinishedPorts } from '../../src/observe/ports-in-use.js';
import { progressCounter } from '../../src/observe/progress.js';
import type { Plan, PlannedHost } from '../../src/topology/plan.js';
import { outcomes, RequestState } from '../../src/traffic/outcomes.js';

describe('the clock', () => {
  const clock: RunClock = {
    monotonicAtStartNs: 5n,
    realtimeAtStartNs: 1_700_000_000_999_999_999n,
    uncertaintyNs: 0,
  };

  it('converts wall-clock times to the nanosecond, before the start too', () => {
    const convert = fromTimespec(clock);
    expect(convert(1_700_000_001, 0)).toBe(1);
    expect(convert(1_700_000_000, 999_999_000)).toBe(-999);
  });

  it('converts 64-bit times given in halves, across a carry', () => {
    const convert = fromHalves(clock);
    const halves = (time: bigint) => convert(Number(time >> 32n), Number(time & 0xffff_ffffn));
    expect(halves(clock.realtimeAtStartNs + 123_456_789_012n)).toBe(123_456_789_012);
    expect(halves(clock.realtimeAtStartNs - 7n)).toBe(-7);
  });

  it('relates both clocks for a start in the future', () => {
    const now = process.hrtime.bigint();
    const [soon, later] = [runClock(now), runClock(now + 1_000_000_000n)];
    const apart = Number(later.realtimeAtStartNs - soon.realtimeAtStartNs);
    expect(Math.abs(apart - 1e9)).toBeLessThan(1e8);
  });
});

describe('columns', () => {
  const SHAPE = { timeNs: Float64Array, flags: Uint8Array } as const;

  it('keep their rows when they grow', () => {
    const columns = newColumns(SHAPE, 2);
    columns.timeNs.set([1, 2]);
    columns.flags.set([3, 4]);
    const wider = doubled(SHAPE, columns);
    expect([...wider.timeNs]).toEqual([1, 2, 0, 0]);
    expect([...wider.flags]).toEqual([3, 4, 0, 0]);
  });

  it('are cut and put in the order of time, rows of one time as they came', () => {
    const columns = newColumns(SHAPE, 5);
    columns.timeNs.set([30, 10, 20, 10, 99]);
    columns.flags.set([1, 2, 3, 4, 5]);
    const sorted = sortedByTime(SHAPE, columns, 4);
    expect([...sorted.timeNs]).toEqual([10, 10, 20, 30]);
    expect([...sorted.flags]).toEqual([2, 4, 3, 1]);
  });
});

describe('progress', () => {
  it('counts every state, and again when states change', () => {
    const requests = outcomes(3, 2);
    const progress = progressCounter(requests);
    expect(progress()).toEqual({ due: 0, completed: 0, dropped: 0 });
    requests.state.set([RequestState.completed, RequestState.underWay, RequestState.dropped]);
    expect(progress()).toEqual({ due: 3, completed: 1, dropped: 1 });
    requests.state[1] = RequestState.dropped;
    expect(progress()).toEqual({ due: 3, completed: 1, dropped: 2 });
  });

  it('stays right over many blocks of which some are done', () => {
    const requests = outcomes(10_000, 3);
    const progress = progressCounter(requests);
    let expected = { completed: 0, dropped: 0 };
    for (const until of [2500, 2501, 10_000]) {
      expected = { completed: 0, dropped: 0 };
      for (let visitor = 0; visitor < until; visitor++) {
        // Every seventh visitor is turned away at the second step, and its third never comes due.
        requests.state.set(visitor % 7 === 0 ? [2, 3, 0] : [2, 2, 2], visitor * 3);
        expected.completed += visitor % 7 === 0 ? 1 : 3;
        expected.dropped += visitor % 7 === 0 ? 1 : 0;
      }
      expect(progress()).toEqual({ ...expected, due: expected.completed + expected.dropped });
    }
  });
});

describe('ports in use', () => {
  const entry = (port: number, peerPort: number, changes: Partial<Entry> = {}): Entry => ({
    ...newEntry(),
    source: 1,
    translated: 2,
    translatedPort: port,
    peer: 3,
    peerPort,
    ...changes,
  });

  const TIME_WAIT = { state: ENTRY_STATES.indexOf('TIME_WAIT') };

  it('are counted by destination, over all addresses of the gateway', () => {
    const ports = portsInUse(true);
    ports.add(entry(10, 80), 0);
    ports.add(entry(11, 80), 1);
    ports.add(entry(10, 80, { translated: 4 }), 2);
    ports.add(entry(10, 81), 3);
    expect(ports.now()).toEqual({ inUse: 3, timeWait: 0 });
  });

  it('fall when entries end, the peak does not', () => {
    const ports = portsInUse(true);
    ports.add(entry(10, 80), 7);
    ports.add(entry(11, 80), 8);
    expect(ports.remove(entry(10, 80))).toBe(7);
    expect(ports.remove(entry(10, 80))).toBeUndefined();
    expect([ports.now().inUse, ports.peak()]).toEqual([1, 2]);
    ports.clear();
    expect([ports.now().inUse, ports.peak()]).toEqual([0, 2]);
  });

  it('are not taken by a connection that is not translated', () => {
    const ports = portsInUse(true);
    expect(ports.add(entry(10, 80, { translated: 1 }), 0)).toBe(false);
    ports.finish(entry(10, 80, { translated: 1 }));
    expect(ports.now()).toEqual({ inUse: 0, timeWait: 0 });
  });

  it('are free when the connection is over, and freed only once', () => {
    const ports = portsInUse(true);
    ports.add(entry(10, 80), 0);
    ports.add(entry(11, 80), 1);
    ports.finish(entry(10, 80));
    ports.finish(entry(10, 80));
    expect(ports.now()).toEqual({ inUse: 1, timeWait: 1 });
    expect(ports.remove(entry(10, 80))).toBe(0);
    expect(ports.now()).toEqual({ inUse: 1, timeWait: 0 });
  });

  it('are in use again when a new connection takes over the tuple', () => {
    const ports = portsInUse(true);
    ports.add(entry(10, 80), 0);
    ports.finish(entry(10, 80));
    ports.remove(entry(10, 80));
    ports.add(entry(10, 80), 1);
    expect([ports.now(), ports.peak()]).toEqual([{ inUse: 1, timeWait: 0 }, 1]);
    expect(ports.remove(entry(10, 80))).toBe(1);
  });

  it('are not taken by entries that are over when the table is read anew', () => {
    const ports = portsInUse(true);
    ports.add(entry(10, 80), 0);
    ports.clear();
    ports.add(entry(10, 80, TIME_WAIT), -1);
    ports.add(entry(11, 80, TIME_WAIT), -1);
    ports.add(entry(12, 80), -1);
    expect([ports.now(), ports.peak()]).toEqual([{ inUse: 1, timeWait: 2 }, 1]);
  });

  it('stay taken to the end on a kernel that never gives them away', () => {
    const ports = portsInUse(false);
    ports.add(entry(10, 80), 0);
    ports.finish(entry(10, 80));
    ports.add(entry(11, 80), 1);
    expect([ports.now(), ports.peak()]).toEqual([{ inUse: 2, timeWait: 1 }, 2]);
    ports.remove(entry(10, 80));
    expect(ports.now()).toEqual({ inUse: 1, timeWait: 0 });
  });

  it.each([
    ['5.15.0-91-generic', false],
    ['6.1.0-28-amd64', false],
    ['6.4.16', false],
    ['6.5.0', true],
    ['6.18.2-x', true],
    ['7.0', true],
  ])('of what has ended are given away by kernel %s: %s', (release, reuses) => {
    expect(reusesFinishedPorts(release)).toBe(reuses);
  });
});

describe('pools', () => {
  const host = (changes: Partial<PlannedHost>): PlannedHost =>
    ({ name: 'it', node: 'it', index: 0, interfaces: [], routes: [], sysctls: [], ...changes }) as PlannedHost;
  const target = { host: 'shop', address: '198.18.9.1', port: 8080 };
  const plan = { targets: { it: [target] }, sources: { it: ['198.18.0.1', '198.18.0.2'] } } as unknown as Plan;
  const range = { lo: 1000, hi: 1099 };

  it('of a gateway: its ports times its addresses', () => {
    const spec = { kind: 'nat', ports: range, addresses: 3, masquerade: false } as PlannedHost['spec'];
    expect(poolOf(host({ kind: 'nat', layer: 'L3', spec }), plan, range)).toEqual({
      countedBy: 'conntrack',
      capacity: 300,
    });
  });

  it('of a proxy: its local range times its source addresses', () => {
    const spec = { kind: 'nginx' } as PlannedHost['spec'];
    expect(poolOf(host({ kind: 'nginx', layer: 'L7', spec }), plan, range)).toMatchObject({
      countedBy: 'sockets',
      capacity: 200,
      watched: { range, targets: [target] },
    });
  });

  it('of a server that opens no connections: none', () => {
    const spec = { kind: 'fixed' } as PlannedHost['spec'];
    const end = { ...plan, targets: {} };
    expect(poolOf(host({ kind: 'fixed', layer: 'server', spec }), end, range)).toBeUndefined();
  });

  it('of a shop in front of its store: its local range', () => {
    const spec = { kind: 'ticket-shop' } as PlannedHost['spec'];
    expect(poolOf(host({ kind: 'ticket-shop', layer: 'server', spec }), { ...plan, sources: {} }, range)).toMatchObject(
      {
        countedBy: 'sockets',
        capacity: 100,
      },
    );
  });
});
