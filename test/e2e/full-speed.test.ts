/** What is recorded is what happened, to the last request, at full speed: the record, the servers' own logs, and the kernel's counters. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readRequests } from '../../src/record/read-requests.js';
import type { RunRecord } from '../../src/record/run-record.js';
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

/** Expects that all of them are completed, and that summary, rows and last sample say the same. Returns how many there are. */
function expectCompleted({ variant, rows, lastSample }: Run): number {
  const { due, completed, dropped, attempts } = variant.requests;
  const all = { due: rows.length, completed: rows.length, dropped: 0 };
  expect({ due, completed, dropped, attempts }).toEqual({ ...all, attempts: rows.length });
  expect(lastSample).toMatchObject(all);
  expect(rows.filter(({ state, status }) => state === 'completed' && status! < 300).length).toBe(rows.length);
  expect(variant.latency.response.count).toBe(rows.length);
  return rows.length;
}

/** Expects that more was asked for than can be sent: when the last visitor was due, not even half of them had been sent off. */
function expectFullSpeed({ variant, rows }: Run): void {
  expect(variant.generator.engine).toBe('socket');
  const first = rows.filter(({ step }) => step === 'view-event');
  const lastDue = Math.max(...first.map(({ dueMs }) => dueMs));
  expect(first.filter(({ sentMs }) => sentMs! < lastDue).length).toBeLessThan(first.length / 2);
}

/** The connections of a variant by its record. */
const connectionsOf = (rows: Run['rows']) => new Set(rows.map(({ connection }) => connection)).size;

/** Expects of the three variants, in their order, what was to be sent over how many connections. */
function expectEachWay([perRequest, keepAlive, closedLoop]: Run[]): void {
  expectFullSpeed(perRequest);
  expectFullSpeed(keepAlive);
  expect([perRequest, keepAlive].map(({ rows }) => rows.length)).toEqual([6000, 6000]);
  expect([perRequest, keepAlive].map(({ rows }) => connectionsOf(rows))).toEqual([6000, 2000]);
  expect(connectionsOf(closedLoop.rows)).toBeLessThanOrEqual(32);
}

interface Logged {
  id: string;
  peer: string;
  kind?: string;
  accepted?: number;
  requests?: number;
}

const requestsIn = (log: Logged[]) => log.filter(({ kind }) => kind === undefined);
const idsOf = (requests: { id: string }[]) => requests.map(({ id }) => id).sort();
const idsWithPorts = (requests: { id: string; port: number | null }[]) =>
  requests.map(({ id, port }) => `${id} from port ${port}`).sort();
const portOf = ({ id, peer }: Logged) => ({ id, port: Number(peer.split(':')[1]) });

/** Expects of a log that its requests are those of the record, each from the port from which it was sent. */
function expectSame(rows: Run['rows'], requests: Logged[]): void {
  expect(idsWithPorts(requests.map(portOf))).toEqual(
    idsWithPorts(rows.map(({ id, localPort }) => ({ id, port: localPort }))),
  );
}

/** Half a minute's work for both tests together; on a machine whose processors others keep busy it may have to wait for them. */
const TIMEOUT_MS = 300_000;

/** More than any machine can send: it sends as fast as it can until the last one has left. */
const AS_FAST_AS_IT_CAN = `
  from: buyers
  process: uniform
  maxLateness: 10m
  timeout: { connect: 50s, response: 50s }`;
const DEEP_QUEUE = 'backlog: 16384, sysctls: { net.core.somaxconn: 16384 }';
const PER_REQUEST = 'journey: view-event, connections: per-request, arrivals: [{ for: 6ms, rate: 1000000/s }]';
const KEEP_ALIVE =
  'journey: buy-ticket, thinkTime: 0ms, connections: per-visitor, arrivals: [{ for: 2ms, rate: 1000000/s }]';

it(
  'all requests are the same ones in the record, at the server, and for the kernel on both sides',
  async () => {
    const runs = await run(`
name: counted
topology:
  buyers: { kind: client, hosts: 4, to: shop }
  shop: { kind: ticket-shop, tickets: 100000, ${DEEP_QUEUE} }
traffic:${AS_FAST_AS_IT_CAN}
  journey: view-event
  arrivals: [{ for: 1s, rate: 1/s }]
variants:
  per-request: { traffic: { ${PER_REQUEST} } }
  keep-alive: { traffic: { ${KEEP_ALIVE} } }
  closed-loop: { traffic: { connections: per-visitor, arrivals: [{ for: 300ms, connections: 32 }] } }
`);
    for (const one of runs) {
      const { rows, log, grown } = one;
      const count = expectCompleted(one);
      const entries = log('shop', 'requests.log') as Logged[];
      expectSame(rows, requestsIn(entries));
      const connections = connectionsOf(rows);
      expect(grown('buyers', 'ActiveOpens')).toBe(connections);
      expect(grown('shop', 'PassiveOpens')).toBe(connections);
      expect(grown('buyers', 'AttemptFails')).toBe(0);
      expect(grown('shop', 'ActiveOpens')).toBe(0);
      expect(entries).toContainEqual(
        expect.objectContaining({ kind: 'summary', accepted: connections, requests: count }),
      );
    }
    expectEachWay(runs);
  },
  TIMEOUT_MS,
);

it(
  'through NGINX the same holds on each of its sides',
  async () => {
    const runs = await run(`
name: counted-behind-a-proxy
topology:
  buyers: { kind: client, hosts: 4, to: balancer }
  balancer: { kind: nginx, keepalive: 0, ${DEEP_QUEUE}, to: shop }
  shop: { kind: ticket-shop, hosts: 2, tickets: 100000, ${DEEP_QUEUE} }
traffic:${AS_FAST_AS_IT_CAN}
  journey: view-event
  arrivals: [{ for: 1s, rate: 1/s }]
variants:
  per-request: { traffic: { ${PER_REQUEST} } }
  keep-alive: { topology: { balancer: { keepalive: 16 } }, traffic: { ${KEEP_ALIVE} } }
  closed-loop: { topology: { balancer: { keepalive: 16 } }, traffic: { connections: per-visitor, arrivals: [{ for: 300ms, connections: 32 }] } }
`);
    for (const one of runs) {
      const { rows, log, grown } = one;
      const count = expectCompleted(one);
      expectSame(rows, log('balancer', 'access.log') as Logged[]);
      const shops = ['shop[0]', 'shop[1]'].map((host) => log(host, 'requests.log') as Logged[]);
      expect(idsOf(shops.flatMap(requestsIn))).toEqual(idsOf(rows));
      const connections = connectionsOf(rows);
      expect(grown('buyers', 'ActiveOpens')).toBe(connections);
      expect(grown('balancer', 'PassiveOpens')).toBe(connections);
      expect(grown('buyers', 'AttemptFails') + grown('balancer', 'AttemptFails')).toBe(0);
      const summaries = shops.flat().filter(({ kind }) => kind === 'summary');
      const inAll = (what: 'accepted' | 'requests') => summaries.reduce((sum, line) => sum + line[what]!, 0);
      expect(inAll('requests')).toBe(count);
      expect(grown('balancer', 'ActiveOpens')).toBe(inAll('accepted'));
      expect(grown('shop', 'PassiveOpens')).toBe(inAll('accepted'));
    }
    expectEachWay(runs);
    expect(runs[0].grown('shop', 'PassiveOpens')).toBe(6000);
  },
  TIMEOUT_MS,
);
