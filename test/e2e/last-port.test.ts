/** A generator host uses the last of its ports, where the kernel's own search for one takes tens of milliseconds, and not one more. */
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

it.each([
  ['hold their connections', 'journey: hold\n  holdFor: 15s'],
  ['leave theirs in TIME_WAIT', 'journey: view-event'],
])('8,300 visitors who %s get all of 8,192 ports, and 108 of them none', async (_, visit) => {
  const run = await record(`
name: last-port
topology:
  buyers: { kind: client, ports: 10000-18191, to: shop, sysctls: { net.ipv4.tcp_max_tw_buckets: 65536 } }
  shop: { kind: fixed, close: client }
traffic:
  from: buyers
  ${visit}
  arrivals: [{ for: 10s, rate: 830/s }]
  process: uniform
  maxLateness: 60s
  timeout: { connect: 60s, response: 60s }
`);
  const [variant] = run.variants;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  expect(variant.requests).toMatchObject({ due: 8300, completed: 8192, dropped: 108 });
  expect(losses(variant)).toEqual({ 'ports-exhausted@buyers': 108 });
  expect(variant.ports.buyers).toMatchObject({ capacity: 8192, peak: 8192 });
});
