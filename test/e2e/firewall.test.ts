/** What a firewall refuses or forgets, from real parts: the exact numbers, and each loss with the rule that made it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

const traffic = `
traffic:
  from: buyers
  journey: hold
  holdFor: 700ms
  arrivals: [{ for: 250ms, rate: 400/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 600ms, response: 2s }
`;

it('rules, limits and segments refuse exactly whom they name, and the evidence names the rule', async () => {
  const run = await record(`
name: fenced
topology:
  buyers: { kind: client, to: fence }
  office: { kind: client, to: fence }
  fence: { kind: firewall, to: shop }
  shop: { kind: fixed }
${traffic.replace('from: buyers', 'from: [buyers, office]')}
variants:
  limited: { topology: { fence: { connectionsPerSource: 20 } } }
  dropped: { topology: { fence: { rules: [{ action: drop, from: office, port: 8000-9000 }] } } }
  rejected: { topology: { fence: { rules: [{ action: allow, from: buyers }, { action: reject, to: shop }] } } }
  apart: { topology: { fence: { segments: { office: [shop] } } } }
  throttled: { topology: { fence: { rateLimit: { rate: 1/m, burst: 15 }, overLimit: reject } } }
`);
  const lost = Object.fromEntries(run.variants.map((variant) => [variant.name, losses(variant)]));
  expect(lost).toEqual({
    limited: { 'connection-limit@fence': 60 },
    dropped: { 'filtered@fence': 50 },
    rejected: { 'rejected@fence': 50 },
    apart: { 'filtered@fence': 50 },
    throttled: { 'throttled@fence': 70 },
  });
  const evidence = readFileSync(join(run.folder, 'evidence.ndjson'), 'utf8');
  expect(evidence).toContain('met rules[0]: drop from office port 8000-9000');
  expect(evidence).toContain('met policy drop: no segment holds both');
});

it('a firewall that has forgotten an idle connection lets it starve only where it takes up none in mid-stream', async () => {
  const run = await record(`
name: idle
topology:
  buyers: { kind: client, to: fence }
  fence: { kind: firewall, timeouts: { established: 1s }, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 1500ms
  arrivals: [{ for: 200ms, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 700ms }
variants:
  loose: {}
  strict: { topology: { fence: { looseTracking: false } } }
`);
  expect(run.variants.map((variant) => losses(variant))).toEqual([{}, { 'mapping-expired@fence': 20 }]);
});

it('behind a proxy a firewall`s refusals are its own, with what the proxy then does because of them', async () => {
  const run = await record(`
name: inner
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, maxFails: 0, to: fence }
  fence: { kind: firewall, rules: [{ action: drop, from: balancer }], to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  arrivals: [{ for: 250ms, rate: 40/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 700ms }
variants:
  dropped: {}
  rejected: { topology: { fence: { rules: [{ action: reject, port: 8080 }] } } }
`);
  expect(run.variants.map((variant) => losses(variant))).toEqual([{ 'filtered@fence': 10 }, { 'rejected@fence': 10 }]);
});

it('two causes at once are told apart: 60 ports for 100 visitors, and behind them a backlog of 8 before one worker', async () => {
  const run = await record(`
name: two-at-once
topology:
  buyers: { kind: client, hosts: 2, to: edge }
  edge: { kind: nat, ports: 20000-20059, to: shop }
  shop: { kind: fixed, workers: 1, backlog: 8, serviceTime: 8s }
${traffic}
`);
  const lost = losses(run.variants[0]);
  // One in service, backlog + 1 in the queue: these 10 have a port and wait; the other 50 ports are held by SYNs that the queue drops.
  expect(lost).toEqual({ 'ports-exhausted@edge': 40, 'accept-queue-full@shop': 50, 'response-timeout@shop': 10 });
});
