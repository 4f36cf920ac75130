/**
 * A shop that opens a connection to its store for each request: so many ports, so many requests a minute, on every driver.
 */
import { describe, expect, it } from 'vitest';
import type { VariantRecord } from '../../src/record/run-record.js';
import { drivers, recordEverywhere } from '../helpers/everywhere.js';
import { losses, record } from '../helpers/portparty.js';

const scenario = (shop: string, traffic: string, before = '') => `
name: database-connections
topology:
  buyers: { kind: client, to: ${before === '' ? 'shop' : 'balancer'} }
  ${before}
  shop: { kind: ticket-shop, inventory: redis, ${shop}, to: db }
  db: { kind: redis }
traffic:
  from: buyers
  process: uniform
  maxLateness: 10s
  ${traffic}
`;

/** 300 requests, all within the minute for which a TIME_WAIT keeps a port. */
const VIEWS = 'arrivals: [{ for: 1s, rate: 300/s }]';

function valid({ validity, requests }: VariantRecord): void {
  expect(validity).toEqual({ valid: true, reasons: [] });
  expect(requests.completed + requests.dropped).toBe(requests.due);
}

/** The variant of each driver's run; all of them must be told. */
async function everywhere(text: string): Promise<VariantRecord[]> {
  const runs = Object.values(await recordEverywhere(text)).map(({ variants: [variant] }) => variant);
  expect(runs).toHaveLength(drivers.length);
  runs.forEach(valid);
  return runs;
}

describe('a shop of 100 ports towards its database', () => {
  it('with a connection per request serves 100 of 300, the others are lost for want of its own ports', async () => {
    for (const variant of await everywhere(scenario('ports: 30000-30099, pool: per-request', VIEWS))) {
      expect(variant.requests.completed).toBe(100);
      expect(losses(variant)).toEqual({ 'ports-exhausted@shop': 200 });
      expect(JSON.stringify(variant.requests.byCause[0].evidence)).toContain('connect: EADDRNOTAVAIL');
      expect(variant.ports.shop).toEqual({ capacity: 100, peak: 100, peakShare: 1 });
    }
  });

  it('with a pool of eight loses none, on eight ports at most', async () => {
    for (const variant of await everywhere(scenario('ports: 30000-30099, pool: "pooled: 8"', VIEWS))) {
      expect(variant.requests.completed).toBe(300);
      expect(variant.ports.shop.peak).toBeLessThanOrEqual(8);
    }
  });

  it('is to blame behind a proxy as well, which has ports enough', async () => {
    const text = scenario(
      'ports: 30000-30099, pool: per-request',
      VIEWS,
      'balancer: { kind: nginx, keepalive: 16, maxFails: 0, to: shop }',
    );
    const { variants } = await record(text);
    valid(variants[0]);
    expect(variants[0].requests.completed).toBe(100);
    expect(losses(variants[0])).toEqual({ 'ports-exhausted@shop': 200 });
  });
});

describe('a sale from one store', () => {
  it('over two hosts with two workers each sells every ticket once, and no more', async () => {
    const text = scenario(
      'hosts: 2, workers: 2, tickets: 100, pool: "pooled: 4"',
      `journey: buy-ticket
  thinkTime: 50ms
  arrivals: [{ for: 1s, rate: 160/s }]`,
      'balancer: { kind: nginx, keepalive: 16, to: shop }',
    );
    for (const { requests, tickets, visitors } of await everywhere(text)) {
      expect(requests.dropped).toBe(0);
      expect(tickets).toEqual({ stock: 100, sold: 100 });
      expect(visitors).toMatchObject({ arrived: 160, served: 100, soldOut: 60 });
    }
  });
});

describe('a store that has enough', () => {
  it('of so many clients refuses the others, and is named for it', async () => {
    const text = scenario('hosts: 3, pool: "pooled: 1"', 'arrivals: [{ for: 1s, rate: 90/s }]').replace(
      'kind: redis }',
      'kind: redis, maxConnections: 2 }',
    );
    const [variant] = (await record(text)).variants;
    valid(variant);
    // A client's connections go to the three shops in turn, and one of these is the third to ask.
    expect(losses(variant)).toEqual({ 'connection-limit@db': 30 });
  });
});
