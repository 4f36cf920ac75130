/** What is recorded is what happened, to the last request, at full speed: the record, the servers' own logs, and the kernel's counters. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readRequests } from '../../src/record/read-requests.js';
import type { RunRecord, VariantRecord } from '../../src/record/run-record.js';
import { scenarioFile, scratch } from '../helpers/portparty.js';

type Counters = Record<string, Record<string, number>>;

/** Runs a scenario, and gives for each of its variants what there is to compare. */
async function run(text: string) {
  const folder = scratch();
  const argument = JSON.stringify({ file: scenarioFile(folder, text), out: join(folder, 'results') });
  const script = ['test/testbed/run-scene.mjs', 'test/e2e/counted-run.mjs', 'countedRun', argument];
  const { stdout } = await promisify(execFile)(process.execPath, script);
  const { dir, grown, error } = JSON.parse(stdout.trim().split('\n').at(-1)!) as {
    dir: string;
    grown: Counters[];
    error?: string;
  };
  if (error !== undefined) throw new Error(error);
  const lines = (path: string) =>
    readFileSync(join(dir, path), 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  const { variants } = JSON.parse(readFileSync(join(dir, 'run.json'), 'utf8')) as RunRecord;
  const rows = [...readRequests(join(dir, 'requests.bin'))];
  const series = lines('series.ndjson');
  return variants.map((variant, index) => ({
    variant,
    rows: rows.filter((row) => row.variant === variant.name),
    log: (host: string, name: string) => lines(`logs/${variant.name}-1/${host}/${name}`),
    lastSample: series.filter((line) => line.type === 'sample' && line.variant === variant.name).at(-1),
    /** What a counter has grown by on all hosts of a node. */
    grown: (node: string, counter: string) =>
      Object.entries(grown[index])
        .filter(([host]) => host.replace(/\[\d+\]$/, '') === node)
        .reduce((sum, [, counters]) => sum + counters[counter], 0),
  }));
}

type Run = Awaited<ReturnType<typeof run>>[number];

/** Expects so many requests, all of them completed, the same in the summary, the rows and the last sample. */
function expectCompleted({ variant, rows, lastSample }: Run, count: number): void {
  const { due, completed, dropped, attempts } = variant.requests;
  const all = { due: count, completed: count, dropped: 0 };
  expect({ due, completed, dropped, attempts }).toEqual({ ...all, attempts: count });
  expect(lastSample).toMatchObject(all);
  expect(rows.filter(({ state, status }) => state === 'completed' && status !== null).length).toBe(count);
  expect(variant.latency.response.count).toBe(count);
}

/** The connections of a variant by its record. */
const connectionsOf = (rows: Run['rows']) => new Set(rows.map(({ connection }) => connection)).size;

interface Logged {
  id: string;
  peer: string;
  kind?: string;
}

const requestsIn = (log: Logged[]) => log.filter(({ kind }) => kind === undefined);
const idsOf = (requests: { id: string }[]) => requests.map(({ id }) => id).sort();
const portsOf = (variant: VariantRecord, entries: { id: string; port: number | null | string }[]) =>
  entries.map(({ id, port }) => `${variant.name} ${id} from port ${port}`).sort();

const TRAFFIC = `
  from: buyers
  journey: view-event
  process: uniform
  maxLateness: 10m
  timeout: { connect: 50s, response: 50s }`;

it('thousands of requests a second are the same ones in the record, at the server, and for the kernel on both sides', async () => {
  const runs = await run(`
name: counted
topology:
  buyers: { kind: client, hosts: 4, to: shop }
  shop: { kind: fixed }
traffic:${TRAFFIC}
  arrivals: [{ for: 2s, rate: 3000/s }]
variants:
  per-request: { traffic: { connections: per-request } }
  per-visitor: { topology: { shop: { kind: ticket-shop, tickets: 100000 } }, traffic: { connections: per-visitor, journey: buy-ticket, thinkTime: 20ms, arrivals: [{ for: 2s, rate: 1000/s }] } }
  pooled: { traffic: { connections: "pooled: 16" } }
`);
  for (const one of runs) {
    const { variant, rows, log, grown } = one;
    expectCompleted(one, 6000);
    const requests = requestsIn(log('shop', 'requests.log'));
    expect(
      portsOf(
        variant,
        rows.map(({ id, localPort }) => ({ id, port: localPort })),
      ),
    ).toEqual(
      portsOf(
        variant,
        requests.map(({ id, peer }) => ({ id, port: peer.split(':')[1] })),
      ),
    );
    const connections = connectionsOf(rows);
    expect(grown('buyers', 'ActiveOpens')).toBe(connections);
    expect(grown('shop', 'PassiveOpens')).toBe(connections);
    expect(grown('buyers', 'AttemptFails')).toBe(0);
    expect(grown('shop', 'ActiveOpens')).toBe(0);
    expect(log('shop', 'requests.log')).toContainEqual(
      expect.objectContaining({ kind: 'summary', accepted: connections, requests: 6000 }),
    );
  }
  const [perRequest, perVisitor, pooled] = runs.map(({ rows }) => connectionsOf(rows));
  expect({ perRequest, perVisitor }).toEqual({ perRequest: 6000, perVisitor: 2000 });
  expect(pooled).toBeLessThanOrEqual(4 * 16);
});

it('through a proxy the same holds on each of its sides', async () => {
  const runs = await run(`
name: counted-behind-a-proxy
topology:
  buyers: { kind: client, hosts: 4, to: balancer }
  balancer: { kind: nginx, keepalive: 0, to: shop }
  shop: { kind: fixed, hosts: 2 }
traffic:${TRAFFIC}
  connections: per-request
  arrivals: [{ for: 2s, rate: 1500/s }]
variants:
  without-keepalive: {}
  with-keepalive: { topology: { balancer: { keepalive: 16 } } }
`);
  for (const one of runs) {
    const { variant, rows, log, grown } = one;
    expectCompleted(one, 3000);
    const shops = ['shop[0]', 'shop[1]'].map((host) => log(host, 'requests.log') as Logged[]);
    const served = shops.flatMap(requestsIn);
    expect(idsOf(served)).toEqual(idsOf(rows));
    expect(idsOf(log('balancer', 'access.log'))).toEqual(idsOf(rows));
    expect(grown('buyers', 'ActiveOpens')).toBe(3000);
    expect(grown('balancer', 'PassiveOpens')).toBe(3000);
    const behind = new Set(served.map(({ peer }, index) => `${index < requestsIn(shops[0]).length} ${peer}`)).size;
    const accepted = shops.flat().flatMap((line) => (line as Logged & { accepted?: number }).accepted ?? []);
    expect(grown('balancer', 'ActiveOpens')).toBe(grown('shop', 'PassiveOpens'));
    expect(accepted.reduce((sum, count) => sum + count, 0)).toBe(grown('shop', 'PassiveOpens'));
    if (variant.name === 'without-keepalive') expect(grown('shop', 'PassiveOpens')).toBe(3000);
    else expect(grown('shop', 'PassiveOpens')).toBeGreaterThanOrEqual(behind);
  }
});
