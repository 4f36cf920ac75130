/** HAProxy's ways to lose a request, each produced by the real one and recognised with its place. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunRecord, VariantRecord } from '../../src/record/run-record.js';
import { losses, portparty, scenarioFile } from '../helpers/portparty.js';

const SCENARIO = `
name: haproxy
topology:
  buyers: { kind: client, hosts: 2, to: balancer }
  balancer: { kind: haproxy, ports: 30000-30199, to: shop }
  shop: { kind: fixed, serviceTime: 1s }
traffic:
  from: buyers
  journey: view-event
  connections: per-request
  arrivals: [{ for: 300ms, rate: 1000/s }]
  process: uniform
  maxLateness: 10s
variants:
  ports: {}
  queue: { topology: { balancer: { backendConnections: 100, queueTimeout: 500ms }, shop: { serviceTime: 4s } } }
  short-queue: { topology: { balancer: { backendConnections: 100, queueLength: 100 } } }
  impatient:
    topology: { balancer: { backendConnections: 10, queueTimeout: 30s }, shop: { serviceTime: 400ms } }
    traffic: { arrivals: [{ for: 100ms, rate: 500/s }], timeout: { response: 1s } }
  limit:
    topology: { balancer: { maxConnections: 20, backlog: 1000 }, shop: { serviceTime: 800ms } }
    traffic: { arrivals: [{ for: 100ms, rate: 1000/s }], timeout: { response: 1500ms } }
  throttled:
    topology: { balancer: { rateLimit: { rate: 10/m, burst: 19 } }, shop: { serviceTime: 1ms } }
    traffic: { arrivals: [{ for: 500ms, rate: 200/s }] }
  aftershock:
    topology:
      balancer: { ports: 30000-30049, healthCheck: { interval: 100ms, fall: 2, rise: 50 } }
      shop: { hosts: 2 }
    traffic: { arrivals: [{ for: 1s, rate: 300/s }] }
  slow-server:
    topology: { balancer: { connectTimeout: 500ms, retries: 0 }, shop: { workers: 1, backlog: 1 } }
    traffic: { arrivals: [{ for: 200ms, rate: 100/s }] }
  sticky:
    topology: { balancer: { sticky: cookie }, shop: { kind: ticket-shop, hosts: 3, serviceTime: 1ms } }
    traffic: { journey: buy-ticket, thinkTime: 100ms, arrivals: [{ for: 300ms, rate: 100/s }] }
`;

/** All variants in one run: each costs little then. */
const variants = new Map<string, VariantRecord>();
const folder = mkdtempSync(join(tmpdir(), 'portparty-test-'));
let logs: string;

beforeAll(async () => {
  const out = join(folder, 'results');
  const { stdout, stderr } = await portparty([
    'run',
    scenarioFile(folder, SCENARIO),
    '--out',
    out,
    '--json',
    '--quiet',
  ]);
  if (!stdout.startsWith('{')) throw new Error(stderr);
  const run = JSON.parse(stdout) as RunRecord;
  logs = join(out, run.id, 'logs');
  for (const variant of run.variants) variants.set(variant.name, variant);
}, 120_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

function told(name: string) {
  const variant = variants.get(name)!;
  const { completed, dropped, due } = variant.requests;
  expect(variant.validity).toEqual({ valid: true, reasons: [] });
  expect(completed + dropped).toBe(due);
  return { completed, losses: losses(variant), variant };
}

describe('HAProxy', () => {
  it('with 200 source ports and one slow backend carries 200 of 300 at once, by its own log', () => {
    const { completed, losses, variant } = told('ports');
    expect({ completed, losses }).toEqual({ completed: 200, losses: { 'ports-exhausted@balancer': 100 } });
    expect(JSON.stringify(variant.requests.byCause[0].evidence)).toContain('Out of local source ports');
  });

  it('with 100 connections and a queue of half a second lets 200 of 300 wait in vain', () => {
    const { completed, losses } = told('queue');
    expect({ completed, losses }).toEqual({ completed: 100, losses: { 'queue-timeout@balancer': 200 } });
  });

  it('with a queue of 100 refuses what comes beyond it at once', () => {
    const { completed, losses } = told('short-queue');
    expect({ completed, losses }).toEqual({ completed: 200, losses: { 'connection-limit@balancer': 100 } });
  });

  it('whose visitors leave before their turn has come is a queue-timeout all the same', () => {
    const { losses } = told('impatient');
    const { 'queue-timeout@balancer': queued, ...others } = losses;
    expect(queued).toBeGreaterThanOrEqual(20);
    for (const cause of Object.keys(others)) expect(cause).toBe('response-timeout@shop because queue-timeout@balancer');
  });

  it('at its limit of client connections leaves the others in the accept queue without a word: connection-limit', () => {
    const { losses, completed } = told('limit');
    expect(Object.keys(losses)).toEqual(['connection-limit@balancer']);
    expect(completed).toBeGreaterThanOrEqual(20);
  });

  it('with 20 requests for each of two addresses throttles the other 60', () => {
    const { completed, losses } = told('throttled');
    expect({ completed, losses }).toEqual({ completed: 40, losses: { 'throttled@balancer': 60 } });
  });

  it('whose health checks find no port marks its backends down: what follows is told from the quake', () => {
    const { losses } = told('aftershock');
    const { 'backend-held-down@balancer because ports-exhausted@balancer': aftershock, ...others } = losses;
    expect(aftershock).toBeGreaterThan(0);
    for (const cause of Object.keys(others)) expect(cause).toBe('ports-exhausted@balancer');
  });

  it('that gives up connecting to a full accept queue is accept-queue-full at the backend', () => {
    const { losses } = told('slow-server');
    expect(losses['accept-queue-full@shop']).toBeGreaterThan(0);
    expect(Object.keys(losses).filter((cause) => !cause.endsWith('@shop'))).toEqual([]);
  });

  it('keeps a visitor with one server by a cookie', () => {
    expect(told('sticky').losses).toEqual({});
    const sticky = join(logs, 'sticky-1');
    const servers = new Map<string, Set<string>>();
    for (const host of readdirSync(sticky).filter((name) => name.startsWith('shop'))) {
      for (const [, visitor] of readFileSync(join(sticky, host, 'requests.log'), 'utf8').matchAll(
        /"id":"(\w+\.\w+\.\d+)\./g,
      ))
        servers.set(visitor, (servers.get(visitor) ?? new Set()).add(host));
    }
    expect(servers.size).toBe(30);
    expect([...servers.values()].filter((hosts) => hosts.size > 1)).toEqual([]);
  });
});
