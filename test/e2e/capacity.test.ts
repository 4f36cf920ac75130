/** A search for capacity finds the number that arithmetic gives, names what ends it, and keeps what it knows whatever happens. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CapacityRecord } from '../../src/record/capacity-record.js';
import { finished, portparty, scenarioFile, scratch, start, underWay } from '../helpers/portparty.js';

/** Connections of half a second through 500 ports: 1,000 a second. */
const POOL = `
name: pool
topology:
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 500ms
  arrivals: [{ for: 2s, rate: 800/s }]
  maxLateness: 10s
  timeout: { connect: 3s }
`;

async function capacity(text: string, args: string[]) {
  const folder = scratch();
  const file = scenarioFile(folder, text);
  const out = join(folder, 'results');
  const result = await portparty(['capacity', file, '--out', out, '--json', ...args], { cwd: folder });
  if (!result.stdout.startsWith('{')) throw new Error(`exit ${result.code}\n${result.stdout}\n${result.stderr}`);
  const record = JSON.parse(result.stdout) as CapacityRecord;
  return { ...result, record, dir: join(out, record.id) };
}

describe('a NAT pool of 500 ports, each held for half a second', () => {
  it('carries 1,000 connections a second, within two percent, and its ports are the limit', {
    timeout: 900_000,
  }, async () => {
    const { record, code, stderr, dir } = await capacity(POOL, ['--gate', 'droppedShare < 0.1%', '--need', '900/s']);
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

it('finds how many connections a pool holds at once, to the last one but its resolution', {
  timeout: 600_000,
}, async () => {
  const text = POOL.replace('20000-20499', '20000-20063');
  const { record, code } = await capacity(text, ['--of', 'connections', '--from', '40', '--need', '65']);
  expect(record.capacity).toBe(64);
  expect(record.failsAt).toBe(65);
  expect(record.limit).toMatchObject({ cause: 'ports-exhausted', at: 'edge' });
  expect({ code, verdict: record.verdict }).toEqual({ code: 1, verdict: 'fail' });
});

it('says "at least" where the generator is the limit', { timeout: 300_000 }, async () => {
  // No machine sends everything within a microsecond of its planned time.
  const text = POOL.replace('maxLateness: 10s', 'maxLateness: 1us').replace('20000-20499', '1024-65535');
  const { record, code } = await capacity(text, ['--from', '20/s', '--for', '1s', '--max', '3']);
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
  await underWay(child);
  await new Promise<void>((resolve) => {
    child.stderr!.on('data', (text) => String(text).includes('trial 2') && resolve());
  });
  child.kill('SIGINT');
  const { code, stdout } = await end;
  const record = JSON.parse(stdout) as CapacityRecord;
  expect({ code, status: record.status, end: record.end }).toEqual({ code: 130, status: 'interrupted', end: null });
  expect(record.trials.map(({ trial }) => trial)).toEqual([1]);
  expect(JSON.parse(readFileSync(join(out, record.id, 'capacity.json'), 'utf8'))).toEqual(record);
});
