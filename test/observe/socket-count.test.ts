/** A host's sockets counted again and again by the real kernel: what has been counted once is never told of another moment. */
import { beforeAll, describe, expect, it } from 'vitest';
import { runFixture } from './run-fixture.js';

interface Counts {
  inUse: number;
  timeWait: number;
  states: Record<string, number>;
}

interface Report {
  told: { step: string; going: Counts[]; fresh: Counts }[];
  keeps: boolean;
}

describe('a counter that goes on', () => {
  let report: Report;
  const countedWhen = (step: string) => report.told.find((one) => one.step === step)?.going.at(-1);

  beforeAll(() => {
    report = runFixture('observe-socket-count.mjs');
  }, 40_000);

  it('counts what a new one counts, whatever has happened to a socket', () => {
    for (const { step, going, fresh } of report.told) expect(going, step).toContainEqual(fresh);
  });

  it('sees each connection come and go', () => {
    expect(countedWhen('nothing yet')).toEqual({ inUse: 0, timeWait: 0, states: {} });
    expect(countedWhen('three connections')).toEqual({ inUse: 3, timeWait: 0, states: { ESTABLISHED: 6 } });
    expect(countedWhen('the server closes one')?.states).toMatchObject({ ESTABLISHED: 4, CLOSE_WAIT: 1 });
    expect(countedWhen('its server closes as well')).toMatchObject({ inUse: 2, timeWait: 1 });
    expect(countedWhen('a SYN to nobody')?.states.SYN_SENT).toBe(1);
    expect(countedWhen('it is given up')?.states.SYN_SENT).toBeUndefined();
  });

  it('does not walk through all sockets again while nothing moves', () => {
    expect(report.keeps).toBe(true);
  });
});
