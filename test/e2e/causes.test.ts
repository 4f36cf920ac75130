/** Each cause produced from real parts, and recognised with its place. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { losses, record } from '../helpers/portparty.js';

async function lossesOf(text: string) {
  const run = await record(text);
  const [variant] = run.variants;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  return { losses: losses(variant), variant, folder: run.folder };
}

it('a keep-alive connection that the gateway has forgotten is mapping-expired, by the gateway`s own event', async () => {
  const { losses, folder } = await lossesOf(`
name: forgotten
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 2000-30000, timeouts: { established: 2s }, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 4s
  arrivals: [{ for: 1s, rate: 20/s }]
  process: uniform
  maxLateness: 10s
`);
  expect(losses).toEqual({ 'mapping-expired@edge': 20 });
  expect(readFileSync(join(folder, 'evidence.ndjson'), 'utf8')).toContain('conntrack DESTROY');
});

it('the same with a gateway that does not take up connections in mid-stream', async () => {
  const { losses } = await lossesOf(`
name: forgotten-strictly
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 2000-30000, timeouts: { established: 2s }, looseTracking: false, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 4s
  arrivals: [{ for: 1s, rate: 20/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 2s }
`);
  expect(losses).toEqual({ 'mapping-expired@edge': 20 });
});

it('a server of one worker and a backlog of 16 lets 1 + 17 of 50 in; the others are accept-queue-full, told from its slowness', async () => {
  const { losses } = await lossesOf(`
name: accept-queue
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed, workers: 1, backlog: 16, serviceTime: 8s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 100ms, rate: 500/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 2s, response: 3s }
`);
  expect(losses).toEqual({ 'accept-queue-full@shop': 32, 'response-timeout@shop': 18 });
});

it('an answer of 500 is an http-error of the server that gave it, also behind a proxy', async () => {
  const { losses } = await lossesOf(`
name: broken-shop
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed, status: 500 }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 40/s }]
  process: uniform
  maxLateness: 10s
`);
  expect(losses).toEqual({ 'http-error@shop': 20 });
});

it('a server that takes longer than the client waits is a response-timeout at that server', async () => {
  const { losses } = await lossesOf(`
name: slow
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed, serviceTime: 3s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 40/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 1s }
`);
  expect(losses).toEqual({ 'response-timeout@shop': 20 });
});

it('NGINX without free worker connections is a connection-limit there', async () => {
  const { losses } = await lossesOf(`
name: worker-connections
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, workerConnections: 64, to: shop }
  shop: { kind: fixed, serviceTime: 2s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 400/s }]
  process: uniform
  maxLateness: 10s
`);
  expect(Object.keys(losses)).toEqual(['connection-limit@balancer']);
});

it('NGINX without free descriptors is a file-limit there', async () => {
  const { losses } = await lossesOf(`
name: descriptors
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, openFiles: 64, to: shop }
  shop: { kind: fixed, serviceTime: 2s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 400/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 3s }
`);
  expect(Object.keys(losses)).toEqual(['file-limit@balancer']);
});

it('a server without free descriptors behind a proxy is a file-limit at that server, those it serves are slow', async () => {
  const { losses } = await lossesOf(`
name: backend-descriptors
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, to: shop }
  shop: { kind: fixed, openFiles: 64, serviceTime: 8s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 500ms, rate: 400/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 4s }
`);
  expect(Object.keys(losses).sort()).toEqual(['file-limit@shop', 'response-timeout@shop']);
});

it('a gateway between the proxy and its backend that forgets a kept connection is mapping-expired there', async () => {
  const { losses } = await lossesOf(`
name: forgotten-behind
topology:
  buyers: { kind: client, to: balancer }
  balancer: { kind: nginx, keepalive: 16, to: inner }
  inner: { kind: nat, ports: 20000-20199, timeouts: { established: 2s }, looseTracking: false, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 4s
  arrivals: [{ for: 100ms, rate: 10/s }]
  process: uniform
  maxLateness: 10s
  timeout: { response: 2s }
`);
  expect(losses).toEqual({ 'mapping-expired@inner': 1 });
});

it('a pool that is too small for its requests is a queue-timeout at the client', async () => {
  const { losses } = await lossesOf(`
name: small-pool
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed, serviceTime: 2s }
traffic:
  from: buyers
  journey: view-event
  connections: "pooled: 10"
  arrivals: [{ for: 200ms, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 5s }
`);
  expect(losses).toEqual({ 'queue-timeout@buyers': 10 });
});

it('closed loop through a NAT that has too few ports is ports-exhausted there', async () => {
  const { losses } = await lossesOf(`
name: closed-loop
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 20000-20009, to: shop }
  shop: { kind: fixed, serviceTime: 20ms }
traffic:
  from: buyers
  journey: view-event
  arrivals: [{ for: 2s, connections: 20 }]
  timeout: { connect: 1s, response: 2s }
`);
  expect(Object.keys(losses)).toEqual(['ports-exhausted@edge']);
});

it('churn through a NAT whose server closes first meets TIME_WAITs: late as a rule, lost only to them', async () => {
  const { losses, variant } = await lossesOf(`
name: collisions
topology:
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed, close: server }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  close: server
  arrivals: [{ for: 8s, rate: 200/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 10s }
`);
  // A connection keeps its port for all its SYNs, so now and then one meets the same TIME_WAIT until its time runs out.
  const { 'time-wait-collision@shop': lost = 0, ...others } = losses;
  expect(others).toEqual({});
  const late = new Map(variant.requests.delayed.map(({ cause, at, count }) => [`${cause}@${at}`, count]));
  expect(late.get('time-wait-collision@shop')).toBeGreaterThan(10 * lost);
  // The kernel's search for a port among closed entries is bounded: now and then it finds none, and the next SYN does.
  late.delete('time-wait-collision@shop');
  late.delete('ports-exhausted@edge');
  expect([...late]).toEqual([]);
});

it('3,000 connections of a second each at 1,000/s through 500 ports: every one is accounted for', async () => {
  const { variant, folder } = await lossesOf(`
name: accounted
topology:
  buyers: { kind: client, hosts: 4, to: edge }
  edge: { kind: nat, ports: 20000-20499, to: shop }
  shop: { kind: fixed }
traffic:
  from: buyers
  journey: hold
  holdFor: 1s
  arrivals: [{ for: 3s, rate: 1000/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1500ms }
`);
  const { due, completed, dropped, byCause } = variant.requests;
  expect(due).toBe(3000);
  expect(completed + dropped).toBe(due);
  expect(byCause.map(({ cause, at }) => `${cause}@${at}`)).toEqual(['ports-exhausted@edge']);
  const logged = readFileSync(join(folder, 'logs', 'default-1', 'shop', 'requests.log'), 'utf8')
    .split('\n')
    .filter((line) => line.includes('"id"'));
  expect(logged.length).toBe(completed);
});
