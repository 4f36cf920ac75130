/** What a server of four takes with it when it dies or slows: exactly its own visitors, where they stick; else whoever's turn it is. */
import { describe, expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

/** 40 visitors in the first second, every fourth with each server; nobody asks anything between the seconds 1 and 2. */
const sale = (balancer: string, shop: string, event: string) => `
name: sticky
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: haproxy, retries: 1, redispatch: true, ${balancer}, to: shop }
  shop: { kind: ticket-shop, hosts: 4, tickets: 1000, ${shop} }
traffic:
  from: buyers
  journey: buy-ticket
  thinkTime: 2s
  connections: per-request
  arrivals: [{ for: 1s, rate: 40/s }]
  process: uniform
  timeout: { connect: 1s, response: 2s }
  maxLateness: 10s
events: [{ at: 1500ms, ${event} }]
`;
const KILL = 'kill: "shop[1]"';
const SLOW = 'slow: { node: "shop[1]", serviceTime: 4s }';

async function lostIn(...scenario: Parameters<typeof sale>) {
  const { variants } = await record(sale(...scenario));
  return losses(variants[0]);
}

describe('one of four servers', () => {
  it('that dies takes the sessions of its ten visitors with it, and nobody else`s', async () => {
    expect(await lostIn('sticky: cookie', 'sessions: local', KILL)).toEqual({ 'session-lost@shop': 10 });
  });

  it('takes none with it where all servers share a store', async () => {
    expect(await lostIn('sticky: cookie', 'sessions: shared', KILL)).toEqual({});
  });

  it('that slows holds up the ten visitors who stick to it', async () => {
    expect(await lostIn('sticky: cookie', 'sessions: shared', SLOW)).toEqual({ 'response-timeout@shop': 10 });
  });

  it('that slows holds up every fourth request where servers take turns: ten of the second ones, then of the other thirty', async () => {
    const lost = await lostIn('sticky: none', 'sessions: shared', SLOW);
    expect(Object.keys(lost)).toEqual(['response-timeout@shop']);
    // 10 of 40 hold requests, then 7 or 8 of the 30 checkouts, by where the turn stands.
    expect([17, 18]).toContain(lost['response-timeout@shop']);
  });
});
