/** Which entries of the real connection table are ports in use: those of connections that are not over; see the fixture. */
import { release } from 'node:os';
import { beforeAll, describe, expect, it } from 'vitest';
import { reusesFinishedPorts } from '../../src/observe/ports-in-use.js';
import { runFixture } from './run-fixture.js';

interface Counts {
  inUse: number;
  timeWait: number;
  peak: number;
  states: Record<string, number>;
}

interface Report {
  allOpen: Counts;
  mostClosed: Counts;
  openedLate: Counts & { entriesAtStart: number };
  portsReused: Counts;
  allGone: Counts;
  log: { overruns: number; new: number; all: number };
  messages: { filtered: boolean; updates: Record<string, number>; others: number };
}

describe.skipIf(!reusesFinishedPorts(release()))('ports of connections that are over', () => {
  let report: Report;

  beforeAll(() => {
    report = runFixture('observe-closed-connections.mjs');
  }, 40_000);

  it('are in use while the connections are open', () => {
    expect(report.allOpen).toEqual({ inUse: 20, timeWait: 0, peak: 20, states: { ESTABLISHED: 20 } });
  });

  it('are not in use after a FIN or a RST, though the table still has their entries', () => {
    expect(report.mostClosed).toEqual({
      inUse: 4,
      timeWait: 16,
      peak: 20,
      states: { ESTABLISHED: 4, TIME_WAIT: 14, CLOSE: 2 },
    });
  });

  it('are not in use for a watch that finds the entries when it begins', () => {
    expect(report.openedLate).toMatchObject({ inUse: 4, timeWait: 16, peak: 4, entriesAtStart: 20 });
  });

  it('are in use again when new connections take them over', () => {
    const { states, timeWait } = report.portsReused;
    expect(report.portsReused).toMatchObject({ inUse: 12, peak: 20, states: { ESTABLISHED: 12 } });
    expect(timeWait).toBeLessThanOrEqual(24 - 12);
    expect(timeWait).toBe((states.TIME_WAIT ?? 0) + (states.CLOSE ?? 0));
  });

  it('are not freed twice: an empty table has none', () => {
    expect(report.allGone).toEqual({ inUse: 0, timeWait: 0, peak: 20, states: {} });
  });

  it('leave the log of entries as it is: one that comes, one that goes', () => {
    expect(report.log).toEqual({ overruns: 0, new: 28, all: 56 });
  });

  it('cost one message more per connection that ends: no other change of state reaches this process', () => {
    expect(report.messages).toEqual({ filtered: true, updates: { TIME_WAIT: 14, CLOSE: 2 }, others: 56 });
  });
});
