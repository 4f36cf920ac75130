/** Squid and Varnish in a chain: exact losses with their places, the aftershock told from the quake, and what a cache saves. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

/** 100 requests at 50 source ports; each variant changes the topology. */
const scenario = (proxy: string, variants: Record<string, string>) => `
name: caches
topology:
  buyers: { kind: client, to: proxy }
  proxy: { ${proxy}, ports: 30000-30049, to: shop }
  shop: { kind: fixed, serviceTime: 4s }   # long enough for the whole burst, also on a machine that stalls
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 1s, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 6s }
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
      forward: 'proxy: { mode: forward }',
    }),
  );
  // One of the 50 ports is in TIME_WAIT since Squid looked at its backend when it started.
  const { 'ports-exhausted@proxy': quake, ...others } = results['as-shipped'].losses;
  expect(others).toEqual({ 'backend-held-down@proxy because ports-exhausted@proxy': 51 - quake });
  // Those under way in the same moment as the tenth find no port either.
  expect(quake).toBeGreaterThanOrEqual(10);
  expect(results['as-shipped']).toMatchObject({ completed: 49, reached: 49 });
  expect(results.cached).toMatchObject({ completed: 100, losses: {}, reached: 1 });
  // Without peers there is none to look at, and none to be DEAD.
  expect(results.forward).toMatchObject({ completed: 50, losses: { 'ports-exhausted@proxy': 50 }, reached: 50 });
});

it('Varnish loses what exceeds its ports: one finds none, and then the backend is held down', async () => {
  const results = await run(
    scenario('kind: varnish', {
      'as-shipped': '',
      limited: 'proxy: { backendConnections: 20 }',
      cached: 'proxy: { cache: { ttl: 10s } }',
      slow: 'proxy: { cache: { ttl: 10s } }, shop: { serviceTime: 30s }',
    }),
  );
  const { 'ports-exhausted@proxy': quake, ...others } = results['as-shipped'].losses;
  expect(others).toEqual({ 'backend-held-down@proxy because ports-exhausted@proxy': 50 - quake });
  expect(quake).toBeGreaterThan(0);
  expect(quake).toBeLessThan(50);
  expect(results['as-shipped']).toMatchObject({ completed: 50, reached: 50 });
  // Varnish looks at the number before it connects, so those that come while it stands still are too many: ten in a tenth of a second.
  const { completed, losses: refused } = results.limited;
  expect(refused).toEqual({ 'connection-limit@proxy': 100 - completed });
  expect(completed).toBeGreaterThanOrEqual(20);
  expect(completed).toBeLessThan(30);
  expect(results.cached).toMatchObject({ completed: 100, losses: {}, reached: 1 });
  expect(results.slow).toMatchObject({ completed: 0, losses: { 'response-timeout@shop': 100 }, reached: 1 });
});
