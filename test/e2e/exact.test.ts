/**
 * Numbers that physics fixes: so many ports, so many connections, exactly so many losses, each with its cause and place, and
 * the same on every driver.
 */
import { describe, expect, it } from 'vitest';
import { drivers, recordEverywhere } from '../helpers/everywhere.js';
import { losses } from '../helpers/portparty.js';

/** Connections held at once: all arrive within half a second and outlast every time-out. */
function held(topology: string, visitors: number, extra = ''): string {
  return `
name: held
topology:
${topology}
traffic:
  from: buyers
  journey: hold
  holdFor: 5s
  arrivals: [{ for: 500ms, rate: ${visitors * 2}/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 3s, response: 5s }
${extra}
`;
}

/** What became of the requests of the only variant, by driver. */
async function ledgers(text: string) {
  const runs = Object.entries(await recordEverywhere(text));
  return runs.map(([driver, { variants }]) => {
    const [variant] = variants;
    const { due, completed, dropped } = variant.requests;
    expect({ driver, ...variant.validity }).toEqual({ driver, valid: true, reasons: [] });
    expect(completed + dropped).toBe(due);
    return { driver, completed, losses: losses(variant), variant };
  });
}

/** Expects the same completed requests and losses of every driver; gives the variants for what else is to be seen. */
async function expectLedger(text: string, completed: number, lost: Record<string, number>) {
  const all = await ledgers(text);
  expect(all.map((one) => ({ driver: one.driver, completed: one.completed, losses: one.losses }))).toEqual(
    drivers.map(({ name }) => ({ driver: name, completed, losses: lost })),
  );
  return all.map(({ variant }) => variant);
}

const natted = (ports: string, more = '', servers = '') =>
  `  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: ${ports}, to: shop${more} }
  shop: { kind: fixed${servers} }`;

describe('a NAT gateway', () => {
  it('of 500 ports carries 500 of 800 connections, and each of the other 300 is its own loss', async () => {
    for (const { requests, ports } of await expectLedger(held(natted('20000-20499'), 800), 500, {
      'ports-exhausted@edge': 300,
    })) {
      expect(requests.due).toBe(800);
      expect(ports.edge).toEqual({ capacity: 500, peak: 500, peakShare: 1 });
    }
  });

  it('of 64 ports carries 64 of 100', async () => {
    await expectLedger(held(natted('20000-20063'), 100), 64, { 'ports-exhausted@edge': 36 });
  });

  it('with two addresses has the pool twice', async () => {
    await expectLedger(held(natted('20000-20299', ', addresses: 2'), 800), 600, { 'ports-exhausted@edge': 200 });
  });

  it('has a pool for each destination', async () => {
    await expectLedger(held(natted('20000-20499', '', ', hosts: 2'), 800), 800, {});
  });
});

describe('a client', () => {
  it('with a range of 100 ports carries 100 of 150', async () => {
    await expectLedger(
      held('  buyers: { kind: client, ports: 30000-30099, to: shop }\n  shop: { kind: fixed }', 150),
      100,
      { 'ports-exhausted@buyers': 50 },
    );
  });
});

describe('NGINX', () => {
  const burst = (proxy: string, server: string, requests = 300) => `
name: burst
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, ${proxy}, to: shop }
  shop: { kind: fixed, ${server} }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: ${requests * 2}/s }]
  process: uniform
  maxLateness: 10s
`;

  it('with 200 source ports and one slow backend carries 200 of 300 at once, by its own log', async () => {
    const text = burst('ports: 30000-30199', 'serviceTime: 3s');
    for (const { requests } of await expectLedger(text, 200, { 'ports-exhausted@balancer': 100 }))
      expect(JSON.stringify(requests.byCause[0].evidence)).toContain('Cannot assign requested address');
  });

  it.each([
    ['two source addresses', 'ports: 30000-30199, sourceAddresses: 2', 'serviceTime: 3s'],
    ['two backends', 'ports: 30000-30199', 'serviceTime: 3s, hosts: 2'],
  ])('loses none with %s', async (_, proxy, server) => {
    await expectLedger(burst(proxy, server), 300, {});
  });

  it('tells the first failures from the aftershock when both backends run dry', async () => {
    const all = await ledgers(burst('ports: 30000-30199', 'serviceTime: 4s, hosts: 2', 600));
    for (const { completed, losses } of all) {
      const quake = losses['ports-exhausted@balancer'];
      const aftershock = losses['backend-held-down@balancer because ports-exhausted@balancer'];
      expect(quake).toBeGreaterThan(0);
      expect(aftershock).toBeGreaterThan(quake);
      expect(completed + quake + aftershock).toBe(600);
    }
  });

  const churn = (proxy: string, close: string) => `
name: churn
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, ports: 30000-30199, ${proxy} to: shop }
  shop: { kind: fixed, close: ${close} }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 6s, rate: 100/s }]
  process: uniform
  maxLateness: 10s
`;

  it('that closes first is left with a TIME_WAIT per request: 200 ports serve 200 of 600', async () => {
    await expectLedger(churn('', 'client'), 200, { 'ports-exhausted@balancer': 400 });
  });

  it.each([
    ['keepalive', 'keepalive: 16,', 'client'],
    ['tcp_tw_reuse', 'sysctls: { net.ipv4.tcp_tw_reuse: 1 },', 'client'],
    ['a backend that closes first', '', 'server'],
  ])('loses none with %s', async (_, proxy, close) => {
    await expectLedger(churn(proxy, close), 600, {});
  });
});
