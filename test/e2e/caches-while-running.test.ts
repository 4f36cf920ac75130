/** Squid and Varnish reloaded, changed, killed and started again while visitors come. */
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

const scenario = (kind: string, events: string) => `
name: while-running
topology:
  buyers: { kind: client, to: proxy }
  proxy: { kind: ${kind}, to: shop }
  shop: { kind: fixed, serviceTime: 20ms }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 8s, rate: 50/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 2s, response: 2s }
events:
${events}
`;

async function lossesOf(text: string) {
  const [variant] = (await record(text)).variants;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  const told = JSON.stringify(variant.requests.byCause);
  return { losses: losses(variant), completed: variant.requests.completed, told };
}

it.each(['squid', 'varnish'])(
  '%s killed and started again has refused or reset who came in between, and serves the others',
  async (kind) => {
    const {
      losses: lost,
      completed,
      told,
    } = await lossesOf(
      scenario(kind, '  - { at: 500ms, reload: proxy }\n  - { at: 4s, kill: proxy }\n  - { at: 6s, restart: proxy }'),
    );
    // A Squid that reads its configuration holds its backends for DEAD until it has looked at them again.
    const { 'refused@proxy': refused, 'reset@proxy': reset = 0, 'backend-held-down@proxy': down = 0, ...others } = lost;
    expect(others, told).toEqual({});
    expect(refused).toBeGreaterThan(0);
    expect(completed + refused + reset + down).toBe(400);
  },
);

it('Varnish takes over a limit that is set while it runs', async () => {
  const text = scenario('varnish', '  - { at: 100ms, set: { proxy.backendConnections: 1, proxy.failTimeout: 1s } }');
  const slow = text
    .replace('serviceTime: 20ms', 'serviceTime: 200ms')
    .replace('for: 8s, rate: 50', 'for: 5s, rate: 50');
  const { losses: lost, completed } = await lossesOf(slow);
  expect(lost).toEqual({ 'connection-limit@proxy': 250 - completed });
  expect(completed).toBeLessThan(250);
});
