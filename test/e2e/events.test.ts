/** Faults and changes while a run is under way: each at its time, in the record, and in the evidence of what it cost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { VariantRecord } from '../../src/record/run-record.js';
import { losses, portparty, record, scenarioFile, scratch } from '../helpers/portparty.js';

const causesOf = (variant: VariantRecord) => [
  ...new Set(variant.requests.byCause.map(({ cause, at }) => `${cause}@${at}`)),
];

it('servers and proxies that are killed, restarted, paused, slowed and reloaded cost what the evidence says', async () => {
  const run = await record(`
name: faults
topology:
  buyers: { kind: client, hosts: 8, to: balancer }
  balancer: { kind: nginx, sticky: consistent-hash, to: shop }
  shop: { kind: ticket-shop, hosts: 4, sessions: local }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 300ms
  arrivals: [{ for: 1s, rate: 80/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 1s, response: 1s }
variants:
  dead: { events: [{ at: 700ms, kill: "shop[1]" }] }
  shared: { topology: { shop: { sessions: shared, serviceTime: 1ms } }, events: [{ at: 700ms, kill: "shop[1]" }] }
  back: { events: [{ at: 700ms, kill: "shop[1]" }, { at: 800ms, restart: "shop[1]" }] }
  stopped: { events: [{ at: 500ms, pause: "shop[1]" }, { at: 700ms, resume: "shop[1]" }] }
  slow: { events: [{ at: 700ms, slow: { node: "shop[1]", serviceTime: 5s } }] }
  reloaded: { topology: { shop: { sessions: shared } }, events: [{ at: 500ms, set: { balancer.sticky: none, balancer.algorithm: least-connections } }, { at: 700ms, reload: balancer }] }
  proxyless: { events: [{ at: 700ms, kill: balancer }] }
`);
  const [dead, shared, back, stopped, slow, reloaded, proxyless] = run.variants;
  for (const { validity } of run.variants) expect(validity).toEqual({ valid: true, reasons: [] });
  expect(run.variants.flatMap(causesOf)).not.toContain('unattributed');
  // A request that was just being answered goes with its server: `reset`.
  const inFlight = (variant: VariantRecord) => losses(variant)['reset@shop'] ?? 0;
  for (const variant of [dead, back]) {
    expect(variant.requests.dropped).toBe((losses(variant)['session-lost@shop'] ?? 0) + inFlight(variant));
    expect(losses(variant)).toMatchObject({ 'session-lost@shop': expect.any(Number) });
  }
  expect(shared.requests.dropped).toBe(inFlight(shared));
  expect(stopped.requests.dropped).toBe(0);
  // NGINX closes idle connections when it reloads; a request that is on its way to one is lost with it.
  expect(causesOf(reloaded).filter((cause) => cause !== 'reset@balancer')).toEqual([]);
  expect(causesOf(slow)).toEqual(['response-timeout@shop']);
  expect(losses(proxyless)).toMatchObject({ 'refused@balancer': expect.any(Number) });
  const [trial] = back.perTrial;
  expect(trial.events?.map(({ event, outcome }) => [event, outcome])).toEqual([
    ['kill shop[1]', 'done'],
    ['restart shop[1]', 'done'],
  ]);
  expect(readFileSync(join(run.folder, 'evidence.ndjson'), 'utf8')).toMatch(
    /"session-lost".*event at \d\.\d{3} s: kill shop\[1\]/,
  );
  const series = readFileSync(join(run.folder, 'series.ndjson'), 'utf8').split('\n');
  expect(series.filter((line) => line.includes('"type":"event"'))).toHaveLength(10);
});

// A connection that happens to get its old port again goes on: with so many ports, once in a thousand trials.
it('a killed server is blamed for the later requests of kept connections, of which HAProxy logs nothing', async () => {
  const run = await record(`
name: silent
topology:
  buyers: { kind: client, hosts: 4, to: balancer }
  balancer: { kind: haproxy, to: shop }
  shop: { kind: ticket-shop, serviceTime: 300ms }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 100ms
  arrivals: [{ for: 2s, rate: 50/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 2s, response: 2s }
events: [{ at: 1200ms, kill: shop }]
variants:
  closing: { topology: { balancer: { keepalive: 0 } } }
  kept: { topology: { balancer: { keepalive: 64 } } }
`);
  for (const variant of run.variants) {
    expect(variant.requests.dropped).toBeGreaterThan(0);
    expect(causesOf(variant).sort()).toEqual(['refused@shop', 'reset@shop']);
  }
  // The point: HAProxy has not a word for most of them.
  expect(readFileSync(join(run.folder, 'evidence.ndjson'), 'utf8')).toMatch(
    /"reset","at":"shop".*wrote no line for it/,
  );
});

it('a gateway that fails over forgets its connections, one that is off is unreachable', async () => {
  const run = await record(`
name: failover
topology:
  buyers: { kind: client, to: edge }
  edge: { kind: nat, ports: 2000-30000, to: shop }
  shop: { kind: ticket-shop }
traffic:
  from: buyers
  journey: buy-ticket
  connections: per-visitor
  thinkTime: 2s
  arrivals: [{ for: 200ms, rate: 100/s }]
  process: uniform
  maxLateness: 10s
  timeout: { connect: 700ms, response: 700ms }
variants:
  failover: { events: [{ at: 1200ms, set: { edge.conntrack: flush } }] }
  strict: { events: [{ at: 1200ms, set: { edge.conntrack: flush, edge.sysctls.net.netfilter.nf_conntrack_tcp_loose: 0 } }] }
  off: { events: [{ at: 1200ms, kill: edge }] }
`);
  expect(run.variants.map((variant) => losses(variant))).toEqual([
    { 'mapping-expired@edge': 20 },
    { 'mapping-expired@edge': 20 },
    { 'unreachable@edge': 20 },
  ]);
});

it('an event that the traffic does not live to see makes the run invalid', async () => {
  const folder = scratch();
  const file = scenarioFile(
    folder,
    `
name: too-late
topology:
  buyers: { kind: client, to: shop }
  shop: { kind: fixed }
traffic: { arrivals: [{ for: 200ms, rate: 20/s }], maxLateness: 10s }
events: [{ at: 30s, kill: shop }]
`,
  );
  const { code, stdout } = await portparty(['run', file, '--out', join(folder, 'results'), '--quiet']);
  expect(code).toBe(4);
  expect(stdout.replace(/\s+/g, ' ')).toContain(
    'the event `kill shop` at 30 s never came: the traffic had ended before',
  );
});
