/** `portparty compare` on a real run: as many trials as can show something, and a setting that helps is found. */
import { expect, it } from 'vitest';
import type { Comparison } from '../../src/analysis/comparison/comparison.js';
import { portparty, record } from '../helpers/portparty.js';

/** 50 connections held at once through 30 ports, or 60. Who gets none gives up before its SYN would be repeated. */
const HELD = `
name: held
topology:
  buyers: { kind: client, hosts: 2, to: edge }
  edge: { kind: nat, ports: 20000-20029, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 1500ms
  arrivals: [{ for: 100ms, rate: 500/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 900ms, response: 5s }
variants:
  as-shipped: {}
  two-addresses: { topology: { edge: { addresses: 2 } } }
`;

it('finds what an address more is worth', { timeout: 300_000 }, async () => {
  const { folder } = await record(HELD, ['--trials', '6']);
  const { code, stdout } = await portparty(['compare', folder, '--metric', 'dropped', '--json']);
  expect(code).toBe(0);
  const { metricsTested, pairs } = JSON.parse(stdout) as Comparison;
  expect(metricsTested).toBe(1);
  const [dropped] = pairs[0].metrics;
  expect(dropped).toMatchObject({ verdict: 'better', change: -20, interval: [-20, -20], p: 2 / 64, trialsNeeded: 6 });
  expect(dropped.base.values).toEqual([20, 20, 20, 20, 20, 20]);
});
