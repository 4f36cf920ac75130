import { describe, expect, it } from 'vitest';
import { summariseTrial } from '../../src/record/summarise.js';
import { RequestState } from '../../src/traffic/outcomes.js';
import { completedOutcomes, drop, exhausted, forget, punctual, trialInput } from '../helpers/trials.js';

describe('a trial is invalid', () => {
  const reasonsOf = (changes: Parameters<typeof trialInput>[1], all = completedOutcomes(10, 1)) => {
    const { validity } = summariseTrial(trialInput(all, changes));
    expect(validity.valid).toBe(validity.reasons.length === 0);
    return validity.reasons.join('\n');
  };

  it('when nothing came due', () => {
    const all = completedOutcomes(3, 1);
    for (let row = 0; row < 3; row++) forget(all, row);
    expect(reasonsOf({ plannedVisitors: undefined }, all)).toMatch(/nothing was measured/);
  });
  it('when the generator was late, and not at the limit itself', () => {
    expect(reasonsOf({ generator: { ...punctual, lateP99Ms: 10.1 } })).toMatch(/was late.*10\.1 ms.*limit 10 ms/);
    expect(reasonsOf({ generator: { ...punctual, lateP99Ms: 10 } })).toBe('');
  });
  it('when an open-loop engine does not know how late it was', () => {
    const unknown = { ...punctual, lateP99Ms: Number.NaN };
    expect(reasonsOf({ generator: unknown })).toMatch(/could not tell how late/);
    expect(reasonsOf({ generator: unknown, plannedVisitors: undefined })).toBe('');
  });
  it('when the generator ran out of descriptors', () => {
    expect(reasonsOf({ generator: { ...punctual, ownFailures: 3 } })).toMatch(/file descriptors.*3 times/);
  });
  it('when planned visitors never arrived', () => {
    expect(reasonsOf({ plannedVisitors: 12 })).toMatch(/2 of 12 planned visitors never arrived/);
  });
  it('when a request never ended', () => {
    const all = completedOutcomes(10, 1);
    all.state[4] = RequestState.underWay;
    expect(reasonsOf({}, all)).toMatch(/does not balance: 1 of 10 requests ended neither/);
  });
  it('when a dropped request has no cause', () => {
    const all = completedOutcomes(10, 1);
    drop(all, 4);
    drop(all, 5);
    expect(reasonsOf({ dropped: new Map([[4, exhausted]]) }, all)).toMatch(
      /2 requests were dropped, but 1 have a cause/,
    );
  });
  it('when a visitor stopped in the middle', () => {
    const all = completedOutcomes(10, 2);
    forget(all, 1);
    expect(reasonsOf({}, all)).toMatch(/10 visitors arrived, but 9 were served/);
  });
  it('when the caller says so', () => {
    expect(reasonsOf({ problems: ['the tap lost 3 packets'] })).toBe('the tap lost 3 packets');
  });
});
