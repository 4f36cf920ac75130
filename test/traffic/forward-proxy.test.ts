/** Each engine asks a forward proxy for the whole URI, as RFC 9112 §3.2.2 wants it. */
import { afterEach, expect, test } from 'vitest';
import { ENGINES } from '../../dist/traffic/engines.js';
import type { PreparedTraffic, TrafficPlan } from '../../src/traffic/engine.js';
import { BUY, closedPlan, plan, serve, type TestServer, tally } from './fixture.js';

let proxy: TestServer | undefined;
let prepared: PreparedTraffic | undefined;
afterEach(async () => {
  await prepared?.close();
  await proxy?.close();
});

const ORIGINS = ['198.18.9.2:8080', '198.18.9.3:8080'];

test.each([
  ['socket', (port: number) => plan(port, 4, 2, { steps: BUY })],
  ['undici', (port: number) => plan(port, 4, 2, { steps: BUY })],
  ['autocannon', (port: number) => closedPlan(port, [{ forMs: 50, connections: 2 }], { steps: BUY })],
] as const)('%s', async (name, planFor) => {
  const hosts = new Set<string | undefined>();
  proxy = await serve((request, response) => {
    hosts.add(request.headers.host);
    response.end('{}');
  });
  const { port } = proxy;
  const targets = ORIGINS.map((origin) => ({ host: 'proxy', address: '127.0.0.1', port, origin }));
  const traffic: TrafficPlan = { ...planFor(port), clients: [{ host: 'buyers', netns: null, targets }] };
  prepared = await ENGINES[name].prepare(traffic);
  await prepared.run(process.hrtime.bigint());
  const { dropped, completed } = tally(prepared.outcomes);
  expect({ dropped, seen: proxy.requests.length }).toEqual({ dropped: 0, seen: completed });
  expect([...hosts].sort()).toEqual(ORIGINS);
  const paths = ['/event', '/seats', '/checkout'];
  const asked = [...new Set(proxy.requests.map(({ path }) => path))].sort();
  expect(asked).toEqual(ORIGINS.flatMap((origin) => paths.map((path) => `http://${origin}${path}`)).sort());
});
