import { describe, expect, it } from 'vitest';
import { newReport } from '../../src/attacks/report.js';
import type { Verdict } from '../../src/ledger/causes.js';
import type { BusySpell } from '../../src/observe/observations.js';
import { bottleneckWarnings } from '../../src/record/bottlenecks.js';
import { summariseTrial } from '../../src/record/summarise.js';
import { complete, completedOutcomes, drop, trialInput } from '../helpers/trials.js';

const S = 1e9;
const daemons = [
  { name: 'balancer', node: 'balancer' },
  { name: 'shop[0]', node: 'shop' },
  { name: 'shop[1]', node: 'shop' },
];

function spell(host: string, from: number, ran: number, waited = 0, changes: Partial<BusySpell> = {}): BusySpell {
  return { host, fromNs: from * S, toNs: (from + 1) * S, program: 'nginx', of: 'thread', ran, waited, ...changes };
}

/** Five seconds of a visitor per ms, all answered after 5 ms, those who came due from `from` on after 50 ms. */
function slowFrom(from: number) {
  const all = completedOutcomes(5000, 1);
  for (let row = from * 1000; row < all.rows; row++) complete(all, row, 1, 50);
  return all;
}

const warnings = (busy: BusySpell[], changes: Partial<Parameters<typeof bottleneckWarnings>[0]> = {}) =>
  bottleneckWarnings({
    ...{ busy, daemons, outcomes: slowFrom(2), dropped: new Map(), closedLoop: false, pinned: false },
    ...changes,
  });

describe('a daemon that was the bottleneck', () => {
  it('is named with its time, what its thread did, and how slow the requests were', () => {
    const [warning, ...others] = warnings([
      spell('balancer', 1, 0.5),
      spell('balancer', 2, 0.98),
      spell('balancer', 3, 1),
    ]);
    expect(others).toEqual([]);
    expect(warning).toMatch(/^balancer was the bottleneck from 2\.0 to 4\.0 s/);
    expect(warning).toContain('a thread of nginx was busy 99 % of the time');
    expect(warning).toContain('took 50 ms, where the fastest tenth of the trial took 5 ms or less');
  });

  it('is named where it had work all the time and others had the cores', () => {
    const [warning] = warnings([spell('balancer', 2, 0.4, 0.55)]);
    expect(warning).toContain('ran for 40 % of it and waited for a core for 55 %');
    expect(warning).toContain('--pin');
    expect(warnings([spell('balancer', 2, 0.4, 0.55)], { pinned: true })[0]).not.toContain('--pin');
  });

  it('is named for what was lost to it, and not for what was lost elsewhere or to a limit', () => {
    const all = completedOutcomes(5000, 1);
    const lostTo = (verdict: Omit<Verdict, 'evidence'>) => {
      const dropped = new Map<number, Verdict>();
      for (let row = 2000; row < 2100; row++) {
        drop(all, row);
        dropped.set(row, { ...verdict, evidence: [] });
      }
      return warnings([spell('balancer', 2, 0.98)], { outcomes: all, dropped });
    };
    expect(lostTo({ cause: 'accept-queue-full', at: 'balancer' })[0]).toMatch(
      /100 of the 1,00\d requests of that time were lost to it/,
    );
    expect(lostTo({ cause: 'accept-queue-full', at: 'shop' })).toEqual([]);
    expect(lostTo({ cause: 'ports-exhausted', at: 'balancer' })).toEqual([]);
  });

  it('is not named while requests were as fast as ever', () => {
    expect(warnings([spell('balancer', 2, 0.98)], { outcomes: completedOutcomes(5000, 1) })).toEqual([]);
  });

  it('is named in closed loop, where requests are as slow as it makes them from the first one on', () => {
    const changes = { outcomes: completedOutcomes(5000, 1), closedLoop: true };
    expect(warnings([spell('balancer', 2, 0.98)], changes)[0]).toContain('in closed loop its speed makes the rate');
  });

  it('is not named below nine tenths of a second, nor outside the time of the requests', () => {
    expect(warnings([spell('balancer', 2, 0.6, 0.29)])).toEqual([]);
    expect(warnings([spell('balancer', 4.5, 1), spell('balancer', -1, 1)])).toEqual([]);
  });

  it('compares a step of a journey with the same step only', () => {
    const all = completedOutcomes(5000, 2);
    for (let row = 1; row < all.rows; row += 2) complete(all, row, 1, 80);
    expect(warnings([spell('balancer', 2, 1)], { outcomes: all })).toEqual([]);
  });

  it('is told once per node, of the host that was busy longest', () => {
    const busy = [spell('shop[0]', 2, 1), spell('shop[1]', 2, 1), spell('shop[1]', 3, 1)];
    expect(warnings(busy)).toEqual([expect.stringMatching(/^shop\[1\] was the bottleneck from 2\.0 to 4\.0 s/)]);
  });

  it('stands in the summary of the trial, and an attacker does not', () => {
    const cpu = { samples: [], busy: [spell('balancer', 2, 1), spell('mallory', 2, 1)], pinned: false };
    const attackers = { mallory: newReport('brute-force') };
    const input = { cpu: { ...cpu, daemons: [...daemons, { name: 'mallory', node: 'mallory' }] }, attackers };
    expect(summariseTrial(trialInput(slowFrom(2), input)).warnings).toEqual([expect.stringMatching(/^balancer/)]);
    expect(summariseTrial(trialInput(slowFrom(2)))).not.toHaveProperty('warnings');
  });
});
