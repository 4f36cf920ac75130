/** Squid and Varnish in a chain: exact losses with their places, the aftershock told from the quake, and what a cache saves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

/** 100 requests at 50 source ports; each variant changes the topology. */
const scenario = (
  proxy: string,
  variants: Record<string, string>,
  burst = 'arrivals: [{ for: 400ms, rate: 250/s }]',
) => `
name: caches
topology:
  buyers: { kind: client, to: proxy }
  proxy: { ${proxy}, ports: 30000-30049, to: shop }
  shop: { kind: fixed, serviceTime: 1s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  ${burst}
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 1500ms }
variants:
${Object.entries(variants)
  .map(([name, topology]) => `  ${name}: { topology: { ${topology} } }`)
  .join('\n')}
`;

async function run(text: string) {
  const { folder, variants } = await record(text);
  return Object.fromEntries(
    variants.map((variant) => {
      expect(variant.validity).toEqual({ valid: true, reasons: [] });
      const logs = join(folder, 'logs', `${variant.name}-1`);
      const lines = readdirSync(logs)
        .filter((host) => host.startsWith('shop'))
        .flatMap((host) => readFileSync(join(logs, host, 'requests.log'), 'utf8').split('\n'));
      const reached = lines.filter((line) => line.includes('"id"')).length;
      return [variant.name, { completed: variant.requests.completed, losses: losses(variant), reached }];
    }),
  );
}

it('Squid loses what exceeds its ports: ten find none, and then the backend is DEAD', async () => {
  const results = await run(
    scenario('kind: squid', {
      'as-shipped': '',
      cached: 'proxy: { cache: { ttl: 1m } }',
      slow: 'proxy: { cache: { ttl: 1m } }, shop: { serviceTime: 6s }',
    }),
  );
  // One of the 50 ports is in TIME_WAIT since Squid looked at its backend when it started.
  expect(results['as-shipped']).toEqual({
    completed: 49,
    losses: {
      'ports-exhausted@proxy': 10,
      'backend-held-down@proxy because ports-exhausted@proxy': 41,
    },
    reached: 49,
  });
  expect(results.cached).toMatchObject({ completed: 100, losses: {}, reached: 1 });
  // All but one of them only waited for the answer to the first.
  expect(results.slow).toMatchObject({ completed: 0, losses: { 'response-timeout@shop': 100 }, reached: 1 });
});

it('Squid as a forward proxy has its ports for each server that its clients name', async () => {
  const text = scenario(
    'kind: squid, mode: forward',
    { 'two-servers': 'shop: { hosts: 2 }' },
    'arrivals: [{ for: 400ms, rate: 350/s }]',
  );
  const results = await run(text);
  expect(results['two-servers']).toEqual({
    completed: 100,
    losses: { 'ports-exhausted@proxy': 40 },
    reached: 100,
  });
});

it('Varnish loses what exceeds its ports: one finds none, and then the backend is held down', async () => {
  const results = await run(
    scenario('kind: varnish', {
      'as-shipped': '',
      limited: 'proxy: { backendConnections: 20 }',
      cached: 'proxy: { cache: { ttl: 10s } }',
      slow: 'proxy: { cache: { ttl: 10s } }, shop: { serviceTime: 6s }',
    }),
  );
  const { 'ports-exhausted@proxy': quake, ...others } = results['as-shipped'].losses;
  expect(others).toEqual({ 'backend-held-down@proxy because ports-exhausted@proxy': 50 - quake });
  expect(quake).toBeGreaterThan(0);
  expect(quake).toBeLessThan(10);
  expect(results['as-shipped']).toMatchObject({ completed: 50, reached: 50 });
  expect(results.limited).toMatchObject({ completed: 20, losses: { 'connection-limit@proxy': 80 }, reached: 20 });
  expect(results.cached).toMatchObject({ completed: 100, losses: {}, reached: 1 });
  expect(results.slow).toMatchObject({ completed: 0, losses: { 'response-timeout@shop': 100 }, reached: 1 });
});
