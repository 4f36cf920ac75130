/** Numbers that physics fixes: so many ports, so many connections, exactly so many losses, each with its cause and place. */
import { describe, expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

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

async function only(text: string, args: string[] = []) {
  const run = await record(text, args);
  const [variant] = run.variants;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  expect(variant.requests.completed + variant.requests.dropped).toBe(variant.requests.due);
  return { due: variant.requests.due, completed: variant.requests.completed, losses: losses(variant), variant };
}

const natted = (ports: string, more = '', servers = '') =>
  `  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: ${ports}, to: shop${more} }
  shop: { kind: fixed${servers} }`;

describe('a NAT gateway', () => {
  it('of 500 ports carries 500 of 800 connections, and each of the other 300 is its own loss', async () => {
    const { due, completed, losses, variant } = await only(held(natted('20000-20499'), 800));
    expect({ due, completed, losses }).toEqual({ due: 800, completed: 500, losses: { 'ports-exhausted@edge': 300 } });
    expect(variant.ports.edge).toEqual({ capacity: 500, peak: 500, peakShare: 1 });
  });

  it('of 64 ports carries 64 of 100', async () => {
    const { completed, losses } = await only(held(natted('20000-20063'), 100));
    expect({ completed, losses }).toEqual({ completed: 64, losses: { 'ports-exhausted@edge': 36 } });
  });

  it('with two addresses has the pool twice', async () => {
    const { completed, losses } = await only(held(natted('20000-20299', ', addresses: 2'), 800));
    expect({ completed, losses }).toEqual({ completed: 600, losses: { 'ports-exhausted@edge': 200 } });
  });

  it('has a pool for each destination', async () => {
    const { completed, losses } = await only(held(natted('20000-20499', '', ', hosts: 2'), 800));
    expect({ completed, losses }).toEqual({ completed: 800, losses: {} });
  });
});

describe('a client', () => {
  it('with a range of 100 ports carries 100 of 150', async () => {
    const { completed, losses } = await only(
      held('  buyers: { kind: client, ports: 30000-30099, to: shop }\n  shop: { kind: fixed }', 150),
    );
    expect({ completed, losses }).toEqual({ completed: 100, losses: { 'ports-exhausted@buyers': 50 } });
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
    const { completed, losses, variant } = await only(burst('ports: 30000-30199', 'serviceTime: 3s'));
    expect({ completed, losses }).toEqual({ completed: 200, losses: { 'ports-exhausted@balancer': 100 } });
    expect(JSON.stringify(variant.requests.byCause[0].evidence)).toContain('Cannot assign requested address');
  });

  it.each([
    ['two source addresses', 'ports: 30000-30199, sourceAddresses: 2', 'serviceTime: 3s'],
    ['two backends', 'ports: 30000-30199', 'serviceTime: 3s, hosts: 2'],
  ])('loses none with %s', async (_, proxy, server) => {
    const { completed, losses } = await only(burst(proxy, server));
    expect({ completed, losses }).toEqual({ completed: 300, losses: {} });
  });

  it('tells the first failures from the aftershock when both backends run dry', async () => {
    const { completed, losses } = await only(burst('ports: 30000-30199', 'serviceTime: 4s, hosts: 2', 600));
    const quake = losses['ports-exhausted@balancer'];
    const aftershock = losses['backend-held-down@balancer because ports-exhausted@balancer'];
    expect(quake).toBeGreaterThan(0);
    expect(aftershock).toBeGreaterThan(quake);
    expect(completed + quake + aftershock).toBe(600);
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
    const { completed, losses } = await only(churn('', 'client'));
    expect({ completed, losses }).toEqual({ completed: 200, losses: { 'ports-exhausted@balancer': 400 } });
  });

  it.each([
    ['keepalive', 'keepalive: 16,', 'client'],
    ['tcp_tw_reuse', 'sysctls: { net.ipv4.tcp_tw_reuse: 1 },', 'client'],
    ['a backend that closes first', '', 'server'],
  ])('loses none with %s', async (_, proxy, close) => {
    const { completed, losses } = await only(churn(proxy, close));
    expect({ completed, losses }).toEqual({ completed: 600, losses: {} });
  });
});
