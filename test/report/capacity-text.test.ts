/** What a search for capacity prints: the number, whether it is one, and what stands in the way of more. */
import { expect, it } from 'vitest';
import { levelText, renderCapacity, trialText } from '../../src/report/capacity-text.js';
import { capacityRecord, capacityTrial } from '../helpers/capacity.js';

const plain = (changes = {}) => renderCapacity(capacityRecord(changes), { color: false, width: 120 });

it('gives the number, the level that fails, the resource and the line that would move it', () => {
  const text = plain();
  expect(text).toContain('CAPACITY  980/s  fails at 1,000/s');
  expect(text).toContain('ports-exhausted@edge  at 1,000/s');
  expect(text).toContain('edge ran out of ports: all 500 towards shop');
  expect(text).toContain('topology.edge.ports: 1024-65535');
  expect(text).toContain('$ portparty capacity office.yaml --set topology.edge.ports=1024-65535');
});

it('draws the curve, a row per level, with the knee in words', () => {
  const lines = plain().split('\n');
  expect(lines.filter((line) => /▁|█/.test(line)).map((line) => line.trim().split(/\s{2,}/)[0])).toEqual([
    '500',
    '980',
    '1,000',
  ]);
  expect(plain()).toContain('Whatever was offered, at most 998 requests a second completed.');
  expect(plain()).toContain("Up to 500/s the response's p99 stays within twice that of the lowest level.");
});

it('says "at least" where the generator was the limit, and gives no false number', () => {
  const text = plain({
    isAtLeast: true,
    failsAt: 2000,
    limit: { what: 'generator', level: 2000, trial: 4, says: 'the generator was late', advice: [] },
  });
  expect(text).toContain('CAPACITY  at least 980/s  2,000/s could not be offered');
  expect(text).toContain('The generator was the limit, not the chain.');
});

it('holds the need against it', () => {
  expect(plain({ need: 900, headroom: 980 / 900 - 1, verdict: 'pass' })).toContain(
    'PASS  the 900/s needed: carried, 8.89% to spare',
  );
  expect(plain({ need: 1200, headroom: 980 / 1200 - 1, verdict: 'fail' })).toContain(
    'FAIL  the 1,200/s needed: not carried, 18.3% short',
  );
});

it('says how it ended early', () => {
  expect(plain({ end: 'budget', isSure: false })).toContain(
    'the time was up; not yet repeated often enough to be sure',
  );
  expect(plain({ status: 'interrupted', end: null, trials: [], capacity: null, failsAt: null, limit: null })).toContain(
    'No trial ran to its end.',
  );
});

it('fits narrow terminals', () => {
  const text = renderCapacity(capacityRecord(), { color: false, width: 80 });
  expect(text.split('\n').filter((line) => line.length > 80 && !line.includes('$ '))).toEqual([]);
});

it('names levels in their unit, and trials by what broke', () => {
  expect([levelText('rate', 984.4), levelText('connections', 1), levelText('visitors', 12_000)]).toEqual([
    '984.4/s',
    '1 connection',
    '12,000 visitors',
  ]);
  expect(trialText(capacityRecord().trials[2])).toBe('fails dropped == 0 (12 of 5,000 dropped, ports-exhausted@edge)');
  expect(trialText(capacityTrial(9, { outcome: 'invalid', reasons: ['it was late'] }))).toBe('invalid: it was late');
});
