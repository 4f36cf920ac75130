/** A search for capacity finds the number that arithmetic gives: N ports, each held for h, are N/h connections a second. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { POOL, searchCapacity } from '../helpers/search-capacity.js';

describe('a NAT pool of 500 ports, each held for half a second', () => {
  it('carries 1,000 connections a second, within two percent, and its ports are the limit', {
    timeout: 900_000,
  }, async () => {
    const { record, code, stderr, dir } = await searchCapacity(POOL, [
      '--gate',
      'droppedShare < 0.1%',
      '--need',
      '900/s',
    ]);
    expect({ end: record.end, isSure: record.isSure, isAtLeast: record.isAtLeast }).toEqual({
      end: 'resolved',
      isSure: true,
      isAtLeast: false,
    });
    expect(Math.abs(record.capacity! / 1000 - 1)).toBeLessThanOrEqual(0.02);
    // Offered more, it completes no more.
    expect(Math.abs(record.saturation! / 1000 - 1)).toBeLessThanOrEqual(0.02);
    expect(record.limit).toMatchObject({ what: 'chain', cause: 'ports-exhausted', at: 'edge' });
    expect(record.limit!.advice.map(({ knob }) => knob)).toContain('topology.edge.ports');
    expect({ code, verdict: record.verdict }).toEqual({ code: 0, verdict: 'pass' });
    expect(record.headroom!).toBeGreaterThan(0.08);
    expect(stderr).toMatch(/trial 1 of ~\d+\+, until ~\d\d:\d\d, 800\/s/);
    for (const { run } of record.trials) expect(existsSync(join(dir, run, 'run.json'))).toBe(true);
  });
});
