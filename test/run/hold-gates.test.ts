/** `toHoldGates`: gates as an assertion of one's own test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baselineOf } from '../../src/analysis/baseline.js';
import { matchers } from '../../src/expect/vitest.js';
import { scratch } from '../helpers/portparty.js';
import { losingVariant, runRecord, variantRecord } from '../helpers/trials.js';

expect.extend(matchers);

const holding = runRecord([variantRecord('wider-pool', {}, [{ gate: 'dropped == 0', observed: 0, pass: true }])], {
  verdict: 'pass',
});
const losing = runRecord(
  [
    losingVariant([
      { gate: 'dropped == 0', observed: 300, pass: false },
      { gate: 'due > 0', observed: 3000, pass: true },
    ]),
    variantRecord('wider-pool', {}, [{ gate: 'dropped == 0', observed: 0, pass: true }]),
  ],
  { verdict: 'fail' },
);

/** What an assertion that fails says. */
function said(assertion: () => void): string {
  try {
    assertion();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the assertion held');
}

describe('expect(record).toHoldGates()', () => {
  it('holds where the gates of the scenario do', () => {
    expect(holding).toHoldGates();
    expect(losing).not.toHoldGates();
  });

  it('says which gates failed, what they saw, and why requests were lost', () => {
    expect(said(() => expect(losing).toHoldGates())).toBe(
      [
        '1 of 3 gates of ticket-sale does not hold',
        '  ✗ as-shipped: dropped == 0 (observed: 300)',
        '    300 of 3,000 requests were lost because edge ran out of ports (500 of 500 in use towards one destination). Late, but completed after a repeated SYN: 12 (time-wait-collision@shop).',
        '  run 20261124T192318Z-ticket-sale-ab12',
      ].join('\n'),
    );
    expect(said(() => expect(holding).not.toHoldGates())).toContain('but the gate holds');
  });

  it('takes other gates, and only some variants', () => {
    expect(losing).toHoldGates({ gates: ['dropped == 0'], variants: ['wider-pool'] });
    expect(losing).toHoldGates({ gates: [{ gate: 'dropped == 300', variants: ['as-shipped'] }] });
    expect(losing).not.toHoldGates({ gates: ['dropped == 0'] });
  });

  it('takes a baseline as a value or as a file', () => {
    const gates = ['dropped <= baseline'];
    const folder = scratch();
    mkdirSync(join(folder, 'a-run'));
    writeFileSync(join(folder, 'a-run', 'run.json'), JSON.stringify(losing));
    expect(losing).toHoldGates({ gates, baseline: baselineOf(losing) });
    expect(losing).toHoldGates({ gates, baseline: join(folder, 'a-run') });
    const before = baselineOf({ ...losing, variants: [variantRecord('as-shipped'), variantRecord('wider-pool')] });
    expect(said(() => expect(losing).toHoldGates({ gates, baseline: before }))).toContain(
      '✗ as-shipped: dropped <= baseline (observed: 300; baseline 0; one trial each',
    );
  });

  it.each([
    [
      'an invalid measurement',
      runRecord([variantRecord('a', { validity: { valid: false, reasons: ['late'] } }, holding.variants[0].gates)]),
      /invalid \(a: late\)/,
    ],
    ['an interrupted run', { ...holding, status: 'interrupted' }, /interrupted/],
    ['a run without gates', runRecord([variantRecord('a')]), /no gates to hold/],
    [
      'a gate that needs a baseline',
      runRecord([{ ...variantRecord('a'), skippedGates: ['dropped <= baseline'] }]),
      /compares with a baseline/,
    ],
    ['a promise', Promise.resolve(holding), /got a promise.*/],
    ['something else', { verdict: 'pass' }, /not the record of a run/],
  ])('%s proves nothing, with `not` or without', (_, record, words) => {
    expect(said(() => expect(record).toHoldGates())).toMatch(words);
    expect(said(() => expect(record).not.toHoldGates())).toMatch(words);
  });
});
