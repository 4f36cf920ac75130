/** A search for capacity finds the number that arithmetic gives: N ports, each held for h, are N/h connections a second. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { POOL, searchCapacity } from '../helpers/search-capacity.js';

describe('a NAT pool of 500 ports, each held for two seconds', () => {
  it('carries 250 connections a second, but for the few percent that the kernel does not find, and its ports are the limit', {
    timeout: 900_000,
  }, async () => {
    const { record, code, stderr, dir } = await searchCapacity(POOL, ['--need', '225/s', '--up-to', '300/s']);
    expect({ end: record.end, isSure: record.isSure, isAtLeast: record.isAtLeast }).toEqual({
      end: 'resolved',
      isSure: true,
      isAtLeast: false,
    });
    // Its search for the last free ports is a matter of chance (docs/capacity.md, "How exact it is").
    expect(record.capacity! / 250).toBeGreaterThanOrEqual(0.965);
    expect(record.capacity! / 250).toBeLessThanOrEqual(1.02);
    // Offered more, it completes no more.
    expect(record.saturation! / 250).toBeGreaterThanOrEqual(0.97);
    expect(record.saturation! / 250).toBeLessThanOrEqual(1.02);
    expect(record.limit).toMatchObject({ what: 'chain', cause: 'ports-exhausted', at: 'edge' });
    expect(record.limit!.advice.map(({ knob }) => knob)).toContain('topology.edge.ports');
    expect({ code, verdict: record.verdict }).toEqual({ code: 0, verdict: 'pass' });
    expect(record.headroom!).toBeGreaterThan(0.06);
    expect(stderr).toMatch(/trial 1 of ~\d+\+, until ~\d\d:\d\d, 200\/s/);
    for (const { run } of record.trials) expect(existsSync(join(dir, run, 'run.json'))).toBe(true);
  });
});
