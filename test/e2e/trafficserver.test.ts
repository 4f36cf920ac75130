/** Traffic Server in a chain: exact losses with their places, and the aftershock told from the quake, on every driver. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RunRecord } from '../../src/record/run-record.js';
import { drivers, recordEverywhere } from '../helpers/everywhere.js';
import { losses, record } from '../helpers/portparty.js';
import { titleOf } from '../helpers/ways.js';

/** 100 requests at 50 source ports, one every 4 ms; each variant changes the topology. */
const scenario = (variants: Record<string, string>) => `
name: trafficserver
topology:
  buyers: { kind: client, to: proxy }
  proxy: { kind: trafficserver, ports: 30000-30049, to: shop }
  shop: { kind: fixed, serviceTime: 1s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 400ms, rate: 250/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 2s, response: 8s }
variants:
${Object.entries(variants)
  .map(([name, topology]) => `  ${name}: { topology: { ${topology} } }`)
  .join('\n')}
`;

const HELD_DOWN = 'backend-held-down@proxy because ports-exhausted@proxy';

function resultsOf({ variants }: RunRecord) {
  return Object.fromEntries(
    variants.map((variant) => {
      expect(variant.validity).toEqual({ valid: true, reasons: [] });
      return [variant.name, { completed: variant.requests.completed, losses: losses(variant), variant }];
    }),
  );
}

it('loses exactly what exceeds its ports, and not one more than what a limit or a server refuses', async () => {
  const results = resultsOf(
    await record(
      scenario({
        'never-held-down': 'proxy: { maxFails: 0 }',
        'two-backends': 'proxy: { maxFails: 0 }, shop: { hosts: 2 }',
        limited: 'proxy: { backendConnections: 20 }',
        'short-queue': 'proxy: { backendConnections: 20, queueLength: 10, ports: 30000-30999 }',
        'wide-range': 'proxy: { ports: 30000-30999 }',
        slow: 'proxy: { responseTimeout: 1s, retries: 0, ports: 30000-30999 }, shop: { serviceTime: 20s }',
      }),
    ),
  );
  expect(results['never-held-down']).toMatchObject({ completed: 50, losses: { 'ports-exhausted@proxy': 50 } });
  expect(results['two-backends']).toMatchObject({ completed: 100, losses: {} });
  expect(results.limited).toMatchObject({ completed: 20, losses: { 'connection-limit@proxy': 80 } });
  expect(results['short-queue']).toMatchObject({ completed: 30, losses: { 'connection-limit@proxy': 70 } });
  expect(results['wide-range']).toMatchObject({ completed: 100, losses: {} });
  expect(results.slow).toMatchObject({ completed: 0, losses: { 'response-timeout@shop': 100 } });
});

it('tells a server that refuses from a lost port, although its log does not', async () => {
  const text = `${scenario({ 'shop-dies': 'proxy: { ports: 30000-30999 }' })}
events: [{ at: 0s, kill: shop }]
`;
  const { 'shop-dies': results } = resultsOf(await record(text));
  const { 'refused@shop': quake, ...aftershock } = results.losses;
  expect(aftershock).toEqual({ 'backend-held-down@proxy because refused@shop': 100 - quake });
  expect(quake).toBeGreaterThanOrEqual(4);
});

it(`tells the aftershock from the quake: ${drivers.map(titleOf).join(', ')}`, async () => {
  const records = await recordEverywhere(scenario({ 'as-shipped': '' }));
  for (const [way, { folder, ...run }] of Object.entries(records)) {
    const { completed, losses: lost, variant } = resultsOf(run)['as-shipped'];
    const { 'ports-exhausted@proxy': quake, ...others } = lost;
    expect({ way, completed, others }).toEqual({ way, completed: 50, others: { [HELD_DOWN]: 50 - quake } });
    // Three requests count nine failures, the fourth one the tenth; those under way in that moment are tried as well.
    expect(quake).toBeGreaterThanOrEqual(4);
    expect(quake).toBeLessThan(25);
    const [aftershock, ...more] = variant.aftershocks ?? [];
    expect(more).toEqual([]);
    expect(aftershock).toMatchObject({
      at: 'proxy',
      because: { cause: 'ports-exhausted', at: 'proxy' },
      count: 50 - quake,
    });
    // It lasts until the last visitor, and would for five minutes.
    expect(aftershock.lastedMs).toBeGreaterThan(0);
    const error = readFileSync(join(folder, 'logs', 'as-shipped-1', 'proxy', 'error.log'), 'utf8');
    expect(error).toMatch(/Transport endpoint is not connected \[107\] connecting to .* marking down/);
  }
});
