/** A search for capacity names what ends it, never gives a false number, and keeps what it knows whatever happens. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { CapacityRecord } from '../../src/record/capacity-record.js';
import { finished, scenarioFile, scratch, start } from '../helpers/portparty.js';
import { POOL as EXACT, searchCapacity } from '../helpers/search-capacity.js';

const POOL = EXACT.replace('maxLateness: 20ms', 'maxLateness: 10s');

it('finds how many connections a pool holds at once, to the very last one', {
  timeout: 600_000,
}, async () => {
  const text = POOL.replace('20000-20499', '20000-20063').replace('connect: 3s', 'connect: 2s');
  const level = ['--of', 'connections', '--from', '48', '--need', '65'];
  const { record, code } = await searchCapacity(text, [...level, '--repeat', '1', '--for', '200ms']);
  expect(record.capacity).toBe(64);
  expect(record.failsAt).toBe(65);
  expect(record.limit).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
  expect({ code, verdict: record.verdict }).toEqual({ code: 1, verdict: 'fail' });
});

it('says "at least" where the generator is the limit', { timeout: 300_000 }, async () => {
  // No machine sends everything within a microsecond of its planned time.
  const text = POOL.replace('maxLateness: 10s', 'maxLateness: 1us').replace('20000-20499', '1024-65535');
  const { record, code } = await searchCapacity(text, ['--from', '20/s', '--for', '1s', '--max', '3']);
  expect(record.limit).toMatchObject({ what: 'generator' });
  expect(record.capacity === null || record.isAtLeast).toBe(true);
  expect(code).toBe(4);
});

it('keeps the trials that had ended on Ctrl-C, and exits 130', { timeout: 120_000 }, async () => {
  const folder = scratch();
  const file = scenarioFile(folder, POOL);
  const out = join(folder, 'results');
  const child = start(['capacity', file, '--out', out, '--json', '--from', '20/s', '--for', '1s'], { cwd: folder });
  const end = finished(child);
  let said = '';
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (text) => {
      said += text;
      if (said.includes('trial 2 of')) resolve();
    });
  });
  child.kill('SIGINT');
  const { code, stdout } = await end;
  const record = JSON.parse(stdout) as CapacityRecord;
  expect({ code, status: record.status, end: record.end }).toEqual({ code: 130, status: 'interrupted', end: null });
  expect(record.trials.map(({ trial }) => trial)).toEqual([1]);
  expect(JSON.parse(readFileSync(join(out, record.id, 'capacity.json'), 'utf8'))).toEqual(record);
});
